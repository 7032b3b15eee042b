using System.Diagnostics.CodeAnalysis;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Setup;

/// <summary>Whether the database is there, and making it.</summary>
internal static class SetupDatabase
{
    /// <returns>False where the server answers and has no such database.</returns>
    /// <exception cref="JobException">The server is not reachable (75) or refuses us for another reason (69).</exception>
    public static async Task<bool> ExistsAsync(NpgsqlConnectionStringBuilder connection, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var database = new SalesDatabase(connection, new SalesDatabaseOptions(), time);
        try
        {
            await using var open = await database.OpenAsync(cancellationToken);
            return true;
        }
        catch (JobException refused) when (refused.InnerException?.GetBaseException() is PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName })
        {
            return false;
        }
    }

    /// <returns>False where somebody else made it at the same time.</returns>
    /// <exception cref="JobException">69: the role may not; the message has the SQL for one who may.</exception>
    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "A quoted identifier; DDL takes no parameters.")]
    public static async Task<bool> CreateAsync(NpgsqlConnectionStringBuilder connection, TimeProvider time, CancellationToken cancellationToken)
    {
        var name = Quote(connection.Database!);
        var server = new NpgsqlConnectionStringBuilder(connection.ConnectionString) { Database = "postgres" };
        await using var database = new SalesDatabase(server, new SalesDatabaseOptions(), time);
        try
        {
            await using var open = await database.OpenAsync(cancellationToken);
            await using var create = new NpgsqlCommand($"CREATE DATABASE {name}", open);
            await create.ExecuteNonQueryAsync(cancellationToken);
            return true;
        }
        catch (PostgresException made) when (made.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
        {
            return false;
        }
        catch (Exception refused) when (PostgresErrors.ToJobException(refused) is { ExitCode: ExitCode.Refused })
        {
            throw JobException.Refused(
                $"The database {name} does not exist at {connection.Host} and role {Quote(connection.Username ?? "")} may not create it. As one who may: "
                + $"CREATE DATABASE {name} OWNER {Quote(connection.Username ?? "")}",
                refused);
        }
    }

    private static string Quote(string name) => "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
}
