using Npgsql;
using NpgsqlTypes;
using SalesTasks.Database;

namespace SalesTasks.Demo;

/// <summary>How many rows the sample has.</summary>
internal sealed record SampleCounts
{
    public long Leads { get; set; }

    public long Reps { get; set; }

    public long Events { get; set; }

    public long Deals { get; set; }

    public long StageChanges { get; set; }

    public long Tasks { get; set; }

    public long Executions { get; set; }

    public long CampaignEvents { get; set; }

    public long Rows => Leads + Reps + Events + Deals + StageChanges + Tasks + Executions + CampaignEvents;
}

/// <summary>
/// Writes the sample into a migrated, empty database by binary COPY. Memory stays flat: a few thousand leads at a time, each batch in a
/// transaction of its own. Works for the schema's owner; no superuser is needed.
/// </summary>
internal sealed class SampleLoader(SalesDatabase database, SampleGenerator generator)
{
    private const int BatchSize = 4_096;

    private readonly SampleOptions _options = generator.Options;
    private readonly SampleCounts _counts = new();
    private readonly SampleRows _rows = new(generator);

    /// <param name="progress">Told how many leads are in, after each batch.</param>
    /// <param name="cancellationToken">Stops between two rows; the batches before stay.</param>
    /// <exception cref="JobException">64: the database already holds leads, reps or campaigns.</exception>
    public async Task<SampleCounts> LoadAsync(Action<long>? progress, CancellationToken cancellationToken)
    {
        if (database.AsOf != _options.Present)
        {
            throw new InvalidOperationException("Open the database as of the sample's present: triggers take their time from there.");
        }

        await database.InTransactionAsync((connection, _, token) => BeginAsync(connection, token), cancellationToken);
        foreach (var batch in generator.Stories(cancellationToken).Chunk(BatchSize))
        {
            await database.InTransactionAsync((connection, _, token) => WriteAsync(connection, batch, token), cancellationToken);
            Count(batch);
            progress?.Invoke(_counts.Leads);
        }

        await database.InTransactionAsync((connection, _, token) => EndAsync(connection, token), cancellationToken);
        return _counts;
    }

    private async Task BeginAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (!await connection.ScalarStatementAsync<bool>("demo/is_empty", [], cancellationToken))
        {
            throw JobException.Usage($"The sample goes into an empty database; {database.Place} holds leads, reps or campaigns already.");
        }

        await connection.ExecuteStatementAsync("demo/create_truth", [], cancellationToken);
        await CopyAsync(connection, "demo/copy_reps", generator.Team.Reps, SampleRows.WriteRepAsync, cancellationToken);
        await CopyAsync(
            connection,
            "demo/copy_absences",
            generator.Team.Reps.SelectMany(rep => rep.Absences, (rep, absence) => (rep, absence)),
            (row, item) => SampleRows.WriteAbsenceAsync(row, item.rep, item.absence),
            cancellationToken);
        await CopyAsync(
            connection,
            "demo/copy_campaigns",
            SampleCampaigns.All.Index(),
            (row, item) => SampleRows.WriteCampaignAsync(row, item.Index + 1, item.Item, _options.AsOf),
            cancellationToken);
        _counts.Reps = generator.Team.Reps.Count;
    }

    private async Task WriteAsync(NpgsqlConnection connection, SampleStory[] batch, CancellationToken cancellationToken)
    {
        await connection.ExecuteStatementAsync("demo/keep_history", [], cancellationToken);
        var people = batch.Select(story => (story, Person: new SamplePerson(_options, story.Lead))).ToList();
        await CopyAsync(
            connection,
            "demo/copy_leads",
            people,
            (row, item) => SampleRows.WriteLeadAsync(row, item.story.Lead, item.Person),
            cancellationToken);
        await CopyAsync(
            connection,
            "demo/copy_engagement",
            batch.SelectMany(story => story.Lead.Engagement.Concat(story.LaterEngagement).Index(), (story, item) => (story.Lead, item)),
            (row, item) => SampleRows.WriteEventAsync(row, item.Lead, item.item.Index, item.item.Item),
            cancellationToken);

        await connection.ExecuteStatementAsync("demo/pause_first_stages", [], cancellationToken);
        var deals = people.Where(item => item.story.Lead.Deal is not null)
            .Select((item, i) => (item.story, item.Person, Deal: item.story.Lead.Deal!, Id: _counts.Deals + i + 1))
            .ToList();
        await CopyAsync(
            connection,
            "demo/copy_pipeline",
            deals,
            (row, d) => SampleRows.WriteDealAsync(row, d.Id, d.story, d.Person),
            cancellationToken);
        await connection.ExecuteStatementAsync("demo/resume_first_stages", [], cancellationToken);

        await CopyAsync(
            connection,
            "demo/copy_stages",
            deals.SelectMany(d => d.Deal.Stages.Index(), (d, stage) => (d, stage.Index)),
            (row, item) => SampleRows.WriteStageAsync(row, item.d.Id, item.d.story.Lead, item.d.Deal, item.Index),
            cancellationToken);
        await CopyAsync(
            connection,
            "demo/copy_tasks",
            deals.SelectMany(d => d.story.Tasks, (d, task) => (d, task)),
            (row, item) => SampleRows.WriteTaskAsync(row, item.d.Id, item.d.story.Lead, item.d.Deal, item.task),
            cancellationToken);
        var executions = deals.SelectMany(d => d.story.Executions, (d, execution) => (d, execution))
            .Select((item, i) => (item.d, item.execution, Id: _counts.Executions + i + 1))
            .ToList();
        await CopyAsync(
            connection,
            "demo/copy_executions",
            executions,
            (row, e) => SampleRows.WriteExecutionAsync(row, e.Id, e.d.Id, e.d.story.Lead, e.execution),
            cancellationToken);
        await CopyAsync(
            connection,
            "demo/copy_campaign_events",
            executions.SelectMany(e => e.execution.Events, (e, happened) => (e, happened)),
            (row, item) => SampleRows.WriteCampaignEventAsync(row, item.e.Id, item.e.d.story.Lead, item.happened),
            cancellationToken);
        await CopyAsync(connection, "demo/copy_truth", batch, (row, story) => _rows.WriteTruthAsync(row, story.Lead), cancellationToken);
    }

    private static async Task EndAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        foreach (var statement in (string[])["demo/continue_ids", "demo/analyze", "demo/refresh_metrics"])
        {
            await connection.ExecuteStatementAsync(statement, [], cancellationToken);
        }
    }

    private void Count(SampleStory[] batch)
    {
        _counts.Leads += batch.Length;
        foreach (var story in batch)
        {
            _counts.Events += story.Lead.Engagement.Count + story.LaterEngagement.Count;
            _counts.Deals += story.Lead.Deal is null ? 0 : 1;
            _counts.StageChanges += story.Lead.Deal?.Stages.Count ?? 0;
            _counts.Tasks += story.Tasks.Count;
            _counts.Executions += story.Executions.Count;
            _counts.CampaignEvents += story.Executions.Sum(execution => execution.Events.Count);
        }
    }

    private static async Task CopyAsync<T>(
        NpgsqlConnection connection,
        string statement,
        IEnumerable<T> items,
        Func<CopyRow, T, Task> write,
        CancellationToken cancellationToken)
    {
        // Npgsql wants COPY to be the first word; the statement's comment comes before it.
        var text = Sql.Load(statement);
        var copy = text[text.IndexOf("COPY", StringComparison.Ordinal)..];
        await using var import = await connection.BeginBinaryImportAsync(copy, cancellationToken);
        var row = new CopyRow(import, cancellationToken);
        foreach (var item in items)
        {
            await import.StartRowAsync(cancellationToken);
            await write(row, item);
        }

        await import.CompleteAsync(cancellationToken);
    }
}

/// <summary>Writes the columns of one row in their order.</summary>
internal sealed class CopyRow(NpgsqlBinaryImporter import, CancellationToken cancellationToken)
{
    /// <summary>Text, varchar, and enums, whose binary form is their name.</summary>
    public Task TextAsync(string? value) => value is null ? NullAsync() : import.WriteAsync(value, NpgsqlDbType.Text, cancellationToken);

    public Task TextsAsync(string[] value) => import.WriteAsync(value, NpgsqlDbType.Array | NpgsqlDbType.Text, cancellationToken);

    public Task JsonAsync(string value) => import.WriteAsync(value, NpgsqlDbType.Jsonb, cancellationToken);

    public Task InstantAsync(DateTime? value) =>
        value is { } instant ? import.WriteAsync(instant, NpgsqlDbType.TimestampTz, cancellationToken) : NullAsync();

    public Task BooleanAsync(bool? value) =>
        value is { } flag ? import.WriteAsync(flag, NpgsqlDbType.Boolean, cancellationToken) : NullAsync();

    public Task SmallAsync(int value) => import.WriteAsync((short)value, NpgsqlDbType.Smallint, cancellationToken);

    public Task IntegerAsync(int value) => import.WriteAsync(value, NpgsqlDbType.Integer, cancellationToken);

    public Task BigAsync(long value) => import.WriteAsync(value, NpgsqlDbType.Bigint, cancellationToken);

    public Task MoneyAsync(decimal? value) =>
        value is { } amount ? import.WriteAsync(amount, NpgsqlDbType.Numeric, cancellationToken) : NullAsync();

    public Task DoubleAsync(double? value) =>
        value is { } number ? import.WriteAsync(number, NpgsqlDbType.Double, cancellationToken) : NullAsync();

    private Task NullAsync() => import.WriteNullAsync(cancellationToken);
}
