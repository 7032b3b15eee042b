using System.Globalization;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Campaigns;

/// <summary>Reads what due steps are written from, and writes what they do.</summary>
internal static class StepStore
{
    public static Task<List<DueExecution>> FactsAsync(
        NpgsqlConnection connection, long[] ids, DateTimeOffset asOf, CancellationToken cancellationToken) =>
        connection.QueryStatementAsync("campaigns/facts", [("ids", ids), ("lead", null), ("as_of", asOf)], row => Read(row, asOf), cancellationToken);

    /// <summary>What templates can say about one lead; null where there is none of this ext_id.</summary>
    public static async Task<LeadFacts?> FactsOfLeadAsync(
        NpgsqlConnection connection, string extId, DateTimeOffset asOf, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryStatementAsync(
            "campaigns/facts", [("ids", Array.Empty<long>()), ("lead", extId), ("as_of", asOf)], row => Read(row, asOf), cancellationToken);
        return rows.Count > 0 ? rows[0].Facts : null;
    }

    private static DueExecution Read(NpgsqlDataReader row, DateTimeOffset asOf)
    {
        var at = 8;
        string? Text() => Next(i => row.GetString(i));
        int? Number() => row.IsDBNull(at++) ? null : row.GetInt32(at - 1);
        T? Next<T>(Func<int, T> read)
            where T : class => row.IsDBNull(at++) ? null : read(at - 1);

        return new DueExecution(
            row.GetInt64(0), row.GetInt64(1), row.GetInt32(3), row.IsDBNull(4) ? null : row.GetInt64(4), row.GetString(7),
            new LeadFacts
            {
                LeadExtId = row.GetString(2),
                Now = asOf,
                Email = row.IsDBNull(5) ? null : row.GetString(5),
                Phone = row.IsDBNull(6) ? null : row.GetString(6),
                FirstName = Text(),
                LastName = Text(),
                CompanyName = Text(),
                CompanyDomain = Text(),
                Industry = Text(),
                ProductInterest = Text(),
                Country = Text(),
                Region = Text(),
                Language = Text(),
                Source = Text(),
                UtmSource = Text(),
                UtmCampaign = Text(),
                Score = Number(),
                Priority = Text(),
                Stage = Text(),
                EstimatedValue = row.IsDBNull(at++) ? null : row.GetDecimal(at - 1),
                DaysInPipeline = Number(),
                DaysSinceContact = Number(),
                RepName = Text(),
                RepEmail = Text(),
                AttributesJson = Text(),
            });
    }

    /// <summary>Writes all of them in one statement.</summary>
    public static async Task WriteAsync(
        NpgsqlConnection connection, List<StepAct> acts, DateTimeOffset asOf, CancellationToken cancellationToken)
    {
        if (acts.Count == 0)
        {
            return;
        }

        T[] Column<T>(Func<StepAct, T> value) => [.. acts.Select(value)];
        await connection.ExecuteStatementAsync(
            "campaigns/write",
            [
                ("as_of", asOf), ("executions", Column(a => a.Execution.Id)), ("leads", Column(a => a.Execution.Facts.LeadExtId)),
                ("pipelines", Column(a => a.Execution.PipelineId)), ("steps", Column(a => a.Step)), ("event_types", Column(a => a.EventType)),
                ("event_statuses", Column(a => a.EventStatus)), ("event_metadata", Column(a => a.EventMetadata)),
                ("keys", Column(a => a.Message?.Key)), ("channels", Column(a => a.Message?.Channel)),
                ("recipients", Column(a => a.Message?.Recipient)), ("payloads", Column(a => a.Message?.Payload)),
                ("zones", Column(a => a.Message?.TimeZone)), ("days", Column(a => Days(a.Message?.Window))),
                ("starts", Column(a => Time(a.Message?.Window?.Start))), ("ends", Column(a => Time(a.Message?.Window?.End))),
                ("task_types", Column(a => a.Task?.Type)), ("task_titles", Column(a => a.Task?.Title)),
                ("task_descriptions", Column(a => a.Task?.Description)), ("task_priorities", Column(a => a.Task?.Priority)),
                ("assignees", Column(a => a.Task?.AssignedTo)), ("task_seconds", Column(a => a.Task?.Due.TotalSeconds)),
                ("next_seconds", Column(a => a.Next?.TotalSeconds)), ("statuses", Column(a => a.Completed ? "completed" : "active")),
                ("variants", Column(a => a.Variant)),
            ],
            cancellationToken);
    }

    private static string? Days(SendWindow? window) => window is null ? null : $"{{{string.Join(',', window.Days)}}}";

    private static string? Time(TimeOnly? time) => time?.ToString("HH:mm:ss.ffffff", CultureInfo.InvariantCulture);
}
