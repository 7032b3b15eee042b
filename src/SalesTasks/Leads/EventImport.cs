using System.Security.Cryptography;
using System.Text;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Leads;

/// <summary>Checks a row of an engagement event, judges whether a bot made it, and stages it.</summary>
internal sealed class EventRows(ImportSettings settings, BoundMapping mapping, ImportStaging staging, BotPatterns bots) : IRowWriter
{
    private const string DefaultSource = "import";

    /// <summary>Nobody reads faster; scanners open and click what is delivered at once.</summary>
    private static readonly TimeSpan s_soonestReading = TimeSpan.FromSeconds(2);

    private readonly object?[] _staged = new object?[EventColumns.UserAgent.Index + 2];

    public async Task<bool> WriteAsync(MappedRow row, int file, RecordReader reader)
    {
        row.Fault = row[EventColumns.EventType] is null ? RowFaults.Missing(EventColumns.EventType) : null;
        if (row.Fault is not null || row[EventColumns.EventType] is MappedRow.NoEngagement)
        {
            return false;
        }

        row.Fault = row[EventColumns.LeadExtId] is null && row[EventColumns.Email] is null ? RowFaults.NamesNoLead
            : row[EventColumns.OccurredAt] is null ? RowFaults.Missing(EventColumns.OccurredAt)
            : null;
        if (row.Fault is not null)
        {
            return false;
        }

        row[EventColumns.Source] ??= settings.Source ?? DefaultSource;
        row[EventColumns.SourceEventId] ??= IdOf(row);
        Array.Copy(row.Values, _staged, _staged.Length - 1);
        _staged[^1] = BotReason(row);
        mapping.ReadAttributes(row, ("user_agent", (string?)row[EventColumns.UserAgent]), ("url", (string?)row[EventColumns.Url]));
        await staging.WriteAsync(_staged, row.Attributes, (file, reader.Line, reader.Raw));
        return true;
    }

    /// <summary>
    /// An id for events whose source gives none: the same event has the same one in every delivery, so it still counts once.
    /// </summary>
    private static string IdOf(MappedRow row)
    {
        var facts = string.Join(
            '\u001F', row[EventColumns.LeadExtId], ((string?)row[EventColumns.Email])?.ToLowerInvariant(), row[EventColumns.EventType],
            $"{row[EventColumns.OccurredAt]:O}", row[EventColumns.Url], row[EventColumns.UserAgent]);
        return "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(facts)));
    }

    private string? BotReason(MappedRow row)
    {
        if (row[EventColumns.IsBot] is true)
        {
            return "told by the source";
        }

        var type = (string)row[EventColumns.EventType]!;
        if (row[EventColumns.DeliveredAt] is DateTime delivered && type is "open" or "click"
            && (DateTime)row[EventColumns.OccurredAt]! - (DateTime?)row[EventColumns.DeliveredAt] < s_soonestReading)
        {
            return "within two seconds of delivery";
        }

        return row[EventColumns.UserAgent] is string agent ? bots.Reason(agent, type) : null;
    }
}

/// <summary>Applies staged events: those of known leads go in once, the others into the reject file.</summary>
internal sealed class EventImport(
    JobContext context, ImportStaging staging, RejectFile rejects, IReadOnlyList<SourceFile> files, ImportCounts counts)
{
    private long _taken;

    private (string, object?) ImportId => ("import_id", staging.ImportId);

    public async Task ApplyAsync()
    {
        if (context.DryRun)
        {
            var repeated = await staging.BatchAsync((connection, token) => connection.ExecuteStatementAsync("leads/fold_events", [ImportId], token));
            counts.EventsDuplicate += repeated;
            _taken += repeated;
        }

        for (long first = 1; first <= staging.Count;)
        {
            var remaining = context.MaxLeads - counts.Written;
            if (remaining <= 0)
            {
                counts.StoppedAtLimit = true;
                return;
            }

            var last = Math.Min(first + Math.Min(ImportStaging.BatchSize, remaining) - 1, staging.Count);
            var mark = rejects.Mark();
            var (taken, inserted, bots, unknown) = await staging.BatchAsync((connection, token) =>
            {
                rejects.GoBack(mark);
                return ApplyAsync(connection, first, last, token);
            });
            counts.EventsInserted += inserted;
            counts.EventsDuplicate += taken - inserted;
            counts.EventsBot += bots;
            _taken += taken + unknown;
            context.Advance(taken + unknown);
            first = last + 1;
        }

        if (_taken != staging.Count)
        {
            // Unlogged tables are empty after a crash of the server.
            throw JobException.Temporary("The server lost staged events; the next try imports what is missing");
        }
    }

    private async Task<(long Taken, long Inserted, long Bots, long Unknown)> ApplyAsync(
        NpgsqlConnection connection, long first, long last, CancellationToken cancellationToken)
    {
        (string, object?)[] range = [ImportId, ("first", first), ("last", last)];
        await connection.ExecuteStatementAsync("leads/plan_batch", [], cancellationToken);
        if (context.DryRun)
        {
            var preview = await connection.QueryStatementAsync(
                "leads/preview_events", range, row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), cancellationToken);
            var (taken, inserted, bots) = preview[0];
            return (taken, inserted, bots, await RejectUnknownAsync(connection, range, cancellationToken));
        }

        await connection.ExecuteStatementAsync("leads/lock_imports", [], cancellationToken);
        await staging.BeatAsync(connection, cancellationToken);
        var result = await connection.QueryStatementAsync(
            "leads/insert_events",
            range,
            row => (
                Taken: row.GetInt64(0), Inserted: row.GetInt64(1), Bots: row.GetInt64(2), Leads: row.IsDBNull(3) ? null : row.GetFieldValue<string[]>(3),
                FirstClick: row.GetFieldValue<DateTime?>(4), LastClick: row.GetFieldValue<DateTime?>(5)),
            cancellationToken);
        var done = result[0];
        var unknown = await RejectUnknownAsync(connection, range, cancellationToken);
        var bursts = done.Leads is null ? 0 : await connection.ExecuteStatementAsync(
            "leads/flag_bursts",
            [("leads", done.Leads), ("first_click_at", done.FirstClick), ("last_click_at", done.LastClick)],
            cancellationToken);
        return (done.Taken, done.Inserted, done.Bots + bursts, unknown);
    }

    private async Task<long> RejectUnknownAsync(NpgsqlConnection connection, (string, object?)[] range, CancellationToken cancellationToken)
    {
        await using var command = Sql.Command(connection, "leads/take_unknown_events", range);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        long unknown = 0;
        while (await reader.ReadAsync(cancellationToken))
        {
            rejects.Add(files[reader.GetInt32(0)].Name, reader.GetInt64(1), RowFaults.UnknownLead, reader.GetString(2));
            unknown++;
        }

        return unknown;
    }
}
