using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Encryption;

namespace SalesTasks.Privacy;

/// <summary>The job <c>privacy encrypt</c> and its parameters.</summary>
internal static class EncryptionJobs
{
    private const string Section = "Encryption";

    public static readonly BoolParameter Rotate = new(
        "rotate", "Rotate keys", "Also seal anew, with the connection's current key, what is sealed with an older one.", false)
    { Section = Section };

    public static JobDefinition Encrypt { get; } = new(
        "privacy encrypt",
        "Encrypt phones and notes that are not encrypted yet; turns encryption on",
        CommonParameters.With(sharded: false, Rotate),
        RunAsync);

    private static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var keys = EncryptionKeys.From(context.Connections.Resolve(context.ConnectionIds.Encryption));
        var rotate = context.Parameters.Get(Rotate);
        if (context.DryRun)
        {
            return await PreviewAsync(context, keys, rotate, cancellationToken);
        }

        var vault = await Vault.TurnAsync(context.Database, keys, seals: true, cancellationToken);
        var sweep = new ColumnSweep(context.Database, vault, seal: true, context.Advance);
        await sweep.RunAsync(rotate, cancellationToken);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["leads"] = sweep.Leads,
            ["deals"] = sweep.Deals,
            ["messages"] = sweep.Messages,
            ["tasks"] = sweep.Tasks,
            ["crm"] = sweep.Crm,
            ["rotated"] = sweep.Rotated,
            ["removed"] = sweep.Removed,
            ["unreadable"] = sweep.Unreadable,
        };
        return new JobResult(counts)
        {
            NothingToDo = counts.Values.All(c => c == 0),
            Failure = sweep.Unreadable == 0
                ? null
                : JobException.Refused(
                    $"{sweep.Unreadable} sealed values do not open: they were changed or moved, or connection '{keys.ConnectionId}' lacks their key. "
                    + "They stay as they are; everything else is done"),
        };
    }

    private static async Task<JobResult> PreviewAsync(JobContext context, EncryptionKeys keys, bool rotate, CancellationToken cancellationToken)
    {
        await Vault.CheckAsync(context.Database, keys, cancellationToken);
        var counts = await context.Database.InTransactionAsync(
            (connection, _, token) => connection.QueryStatementAsync(
                "encryption/count_clear", [("key", keys.Current)],
                row => new Dictionary<string, long>(StringComparer.Ordinal)
                {
                    ["leads"] = row.GetInt64(0),
                    ["deals"] = row.GetInt64(1),
                    ["messages"] = row.GetInt64(2),
                    ["crm"] = row.GetInt64(3),
                    ["rotated"] = rotate ? row.GetInt64(4) : 0,
                },
                token),
            cancellationToken);
        return new JobResult(counts[0]) { NothingToDo = counts[0].Values.All(c => c == 0) };
    }
}
