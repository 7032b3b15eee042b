using System.Text.Json;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Alerts;

/// <summary>
/// <c>alerts evaluate</c>: one transaction in which the kinds fill the work table with the situations they see, alerts follow them, and messages
/// carry what is new. A dry run does the same up to a savepoint and goes back to it, so that it tells exactly what a run would do.
/// </summary>
internal static class EvaluateAlerts
{
    private const string DryRun = "dry_run";

    public static Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken) => context.Database.InTransactionAsync(
        async (connection, transaction, token) =>
        {
            await connection.ExecuteStatementAsync("alerts/lock_evaluation", [], token);
            if (context.DryRun)
            {
                await transaction.SaveAsync(DryRun, token);
            }

            var result = await EvaluateAsync(connection, context, token);
            if (context.DryRun)
            {
                await transaction.RollbackAsync(DryRun, token);
            }

            return result;
        },
        cancellationToken);

    private static async Task<JobResult> EvaluateAsync(NpgsqlConnection connection, JobContext context, CancellationToken cancellationToken)
    {
        var values = context.Parameters;
        (string, object?)[] settings =
        [
            ("as_of", context.AsOf), ("high_value_threshold", values.Get(AlertJobs.HighValueThreshold)), ("stale_lead_days", values.Get(AlertJobs.StaleLeadDays)),
            ("conversion_drop_threshold", values.Get(AlertJobs.ConversionDropThreshold)), ("conversion_period", values.Get(AlertJobs.ConversionPeriod)),
            ("overdue_task_hours", values.Get(AlertJobs.OverdueTaskHours)), ("hot_lead_score", values.Get(AlertJobs.HotLeadScore)), ("hot_lead_hours", values.Get(AlertJobs.HotLeadHours)),
        ];
        foreach (var kind in AlertKind.All)
        {
            context.Advance(await connection.ExecuteStatementAsync(kind.Statement, settings, cancellationToken));
        }

        (string, object?) asOf = ("as_of", context.AsOf);
        await connection.ExecuteStatementAsync("alerts/note_actions", [asOf], cancellationToken);
        var (escalated, woken, reopened) = (await connection.QueryStatementAsync(
            "alerts/advance", [asOf, ("rest_days", values.Get(AlertJobs.RestDays))], row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), cancellationToken))[0];
        var resolved = await connection.ScalarStatementAsync<long>("alerts/end_alerts", [asOf], cancellationToken);
        var returned = await connection.ScalarStatementAsync<long>("alerts/revive", [asOf, ("quiet_hours", values.Get(AlertJobs.QuietHours))], cancellationToken);
        var opened = (await connection.QueryStatementAsync(
            "alerts/open_alerts",
            [asOf, ("limit", context.MaxLeads)],
            row => (All: row.GetInt64(0), Critical: row.GetInt64(1), Warning: row.GetInt64(2), Left: row.GetInt64(3), ByKind: row.GetString(4)),
            cancellationToken))[0];
        await connection.ExecuteStatementAsync("alerts/clear_situations", [], cancellationToken);
        var messages = await new AlertMessages(connection, context).WriteAsync(cancellationToken);
        return new JobResult(new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["opened"] = opened.All,
            ["critical"] = opened.Critical,
            ["warning"] = opened.Warning,
            ["escalated"] = escalated,
            ["woken"] = woken,
            ["reopened"] = reopened,
            ["returned"] = returned,
            ["resolved"] = resolved,
            ["current"] = await connection.ScalarStatementAsync<long>("alerts/count_current", [], cancellationToken),
            ["left_for_next_run"] = opened.Left,
            ["messages"] = messages,
        })
        {
            NothingToDo = opened.All + escalated + woken + reopened + returned + resolved + messages == 0,
            Details = new Dictionary<string, object?>(StringComparer.Ordinal) { ["opened_by_kind"] = ByKind(opened.ByKind) },
        };
    }

    private static Dictionary<string, object?> ByKind(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.EnumerateObject().OrderBy(kind => kind.Name, StringComparer.Ordinal)
            .ToDictionary(kind => kind.Name, object? (kind) => kind.Value.GetInt64(), StringComparer.Ordinal);
    }
}
