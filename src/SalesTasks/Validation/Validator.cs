using System.Data;
using System.Text.RegularExpressions;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Validation;

/// <summary>Something that a check found.</summary>
/// <param name="Check">The check's name: its file in <c>sql/validate</c>.</param>
/// <param name="Severity">error: a promise is broken; warning: somebody should look; info: good to know, no finding.</param>
/// <param name="Subject">Which object.</param>
/// <param name="Detail">What is wrong, in English.</param>
/// <param name="DetailInSpanish">The same in Spanish.</param>
/// <param name="Fix">The command or the SQL that mends it, or shows it; null where there is nothing to mend.</param>
internal sealed record Finding(string Check, string Severity, string Subject, string Detail, string DetailInSpanish, string? Fix)
{
    public bool IsInformation => Severity is "info";
}

/// <summary>
/// Runs the statements of <c>sql/validate</c>, each a check: a file there is a check, nothing else has to be told. All see one snapshot of a
/// read-only transaction. A check that cannot run (its table is gone) is a finding itself.
/// </summary>
internal static partial class Validator
{
    private const string Folder = "validate/";

    private const string Roles = "roles";

    /// <summary>Pages of 8 kB that are read of a large table where not all of it is asked for.</summary>
    public const int SamplePages = 4_000;

    /// <summary>Names of the checks.</summary>
    public static IReadOnlyList<string> Checks { get; } =
        [.. Sql.All().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)).Select(name => name[Folder.Length..])];

    /// <param name="database">Its schema has a journal; it need not be complete. Checks work at its instant.</param>
    /// <param name="everyRow">Reads large tables whole instead of a sample of pages.</param>
    /// <param name="cancellationToken">Stops between and within checks.</param>
    public static async Task<IReadOnlyList<Finding>> RunAsync(SalesDatabase database, bool everyRow, CancellationToken cancellationToken)
    {
        var objects = ExpectedSchema.Of(Migration.Embedded);
        var values = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["kinds"] = objects.Select(o => o.Kind).ToArray(),
            ["names"] = objects.Select(o => o.Name).ToArray(),
            ["on_tables"] = objects.Select(o => o.OnTable).ToArray(),
            ["fixes"] = objects.Select(o => o.Fix).ToArray(),
            ["versions"] = Migration.Embedded.Select(m => m.Version).ToArray(),
            ["migration_names"] = Migration.Embedded.Select(m => m.Name).ToArray(),
            ["checksums"] = Migration.Embedded.Select(m => m.Checksum).ToArray(),
            ["sample_pages"] = everyRow ? int.MaxValue : SamplePages,
        };
        var findings = new List<Finding>();
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await connection.ExecuteStatementAsync("database/read_only", [], cancellationToken);
        if (database.AsOf is { } asOf)
        {
            await connection.ExecuteStatementAsync("database/set_as_of", [("as_of", asOf.ToString("O"))], cancellationToken);
        }

        foreach (var check in Checks.Append(Roles))
        {
            await transaction.SaveAsync("before", cancellationToken);
            try
            {
                findings.AddRange(check is Roles
                    ? await RolesAsync(connection, cancellationToken)
                    : await RunAsync(connection, check, values, cancellationToken));
            }
            catch (PostgresException fault) when (fault.SqlState[..2] is "42" or "22" or "57" && !cancellationToken.IsCancellationRequested)
            {
                // Objects that are gone (42), values nobody reckoned with (22), a table too large for the time there is (57).
                await transaction.RollbackAsync("before", cancellationToken);
                findings.Add(new Finding(
                    check, "error", "validate",
                    $"the check could not run: {fault.MessageText} (SQLSTATE {fault.SqlState})",
                    $"la comprobación no pudo ejecutarse: {fault.MessageText} (SQLSTATE {fault.SqlState})",
                    "sales-tasks db status"));
            }
        }

        return findings;
    }

    /// <summary>Roles, grants and row-level security against what <c>sql/roles</c> wants, where <c>db roles apply</c> was run.</summary>
    private static async Task<IEnumerable<Finding>> RolesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (await DatabaseRoles.RecordedAsync(connection, cancellationToken) is not { } roles)
        {
            return [];
        }

        return (await DatabaseRoles.DifferencesAsync(connection, roles, cancellationToken)).Select(d => new Finding(
            Roles, "error", d.Subject, Whom(RoleWords.English(d.Kind), d.Role), Whom(RoleWords.Spanish(d.Kind), d.Role), "sales-tasks db roles apply"));

        static string Whom(string what, string? role) => role is null ? what : $"{what} ({role})";
    }

    private static Task<List<Finding>> RunAsync(
        NpgsqlConnection connection, string check, Dictionary<string, object?> values, CancellationToken cancellationToken)
    {
        var statement = Folder + check;
        var parameters = Parameter().Matches(Sql.Load(statement)).Select(match => match.Groups["name"].Value).Distinct(StringComparer.Ordinal);
        return connection.QueryStatementAsync(
            statement,
            [.. parameters.Select(name => (name, values[name]))],
            row => new Finding(
                check, row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), row.IsDBNull(4) ? null : row.GetString(4)),
            cancellationToken);
    }

    [GeneratedRegex(@"(?<![@\w])@(?<name>[a-z_]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Parameter();
}
