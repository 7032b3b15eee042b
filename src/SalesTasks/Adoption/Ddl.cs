using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace SalesTasks.Adoption;

/// <summary>Runs statements that a statement of <c>sql/adoption</c> made from the catalogue, where every name was quoted.</summary>
internal static class Ddl
{
    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Made by format(%I) from the catalogue; DDL takes no parameters.")]
    public static async Task RunAsync(NpgsqlConnection connection, string statement, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The same; what the server refuses is undone and returned, null where it went well.</summary>
    public static async Task<PostgresException?> TryAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, IReadOnlyList<string> statements, CancellationToken cancellationToken)
    {
        await transaction.SaveAsync("attempt", cancellationToken);
        try
        {
            foreach (var statement in statements)
            {
                await RunAsync(connection, statement, cancellationToken);
            }

            await transaction.ReleaseAsync("attempt", cancellationToken);
            return null;
        }
        catch (PostgresException refused) when (refused.SqlState[..2] is not ("53" or "57" or "58" or "40"))
        {
            await transaction.RollbackAsync("attempt", cancellationToken);
            return refused;
        }
    }
}
