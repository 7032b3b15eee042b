using System.Globalization;
using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Scoring;

/// <summary>Runs commands of the program inside the test, against one database, with the real clock for pauses.</summary>
internal sealed class ScoringRig(TestDatabase database)
{
    /// <summary>The instant the tests work at, unless they say otherwise.</summary>
    public static readonly DateTimeOffset T0 = new(2026, 3, 15, 12, 0, 0, TimeSpan.Zero);

    public TestDatabase Database { get; } = database;

    /// <summary>Runs any command to its end.</summary>
    public async Task<Answer> RunAsync(params string[] arguments)
    {
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        await using var errors = new StringWriter(CultureInfo.InvariantCulture);
        var host = new CommandHost
        {
            Environment = name => name == "AIRFLOW_CONN_SALES_POSTGRES" ? Database.AirflowUri : null,
            Time = TimeProvider.System,
            Out = output,
            Error = errors,
        };
        var exitCode = await Commands.Tree(host).RunAsync(arguments);
        return new Answer(exitCode, output.ToString(), errors.ToString());
    }

    /// <summary>A run of a job that has to succeed; its counts.</summary>
    public async Task<Counts> JobAsync(string job, DateTimeOffset asOf, params string[] flags)
    {
        var answer = await RunAsync([.. job.Split(' '), "--as-of", asOf.ToString("O"), .. flags]);
        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        return new Counts(answer.Json.GetProperty("counts"));
    }

    public Task<Counts> ScoreAsync(params string[] flags) => JobAsync("scoring score", T0, flags);

    public Task<Counts> ScoreAsync(DateTimeOffset asOf, params string[] flags) => JobAsync("scoring score", asOf, flags);

    public Task<Counts> QualifyAsync(params string[] flags) => JobAsync("scoring qualify", T0, flags);

    /// <summary>A lead with a name, 100 days old at T0: 20 + 5 + 1 points, unless <paramref name="columns"/> say otherwise.</summary>
    public Task AddLeadAsync(string extId, string columns = "", string values = "") => Database.ExecuteAsync(
        $"""
        INSERT INTO leads (ext_id, source, first_name{(columns.Contains("created_at", StringComparison.Ordinal) ? "" : ", created_at")}{Comma(columns)})
        VALUES (@id, 'event', 'Ana'{(columns.Contains("created_at", StringComparison.Ordinal) ? "" : ", @created")}{Comma(values)})
        """,
        ("id", extId), ("created", T0.AddDays(-100)));

    /// <summary>Many such leads, named <paramref name="prefix"/> and a number from 1.</summary>
    public Task AddLeadsAsync(string prefix, int count) => Database.ExecuteAsync(
        """
        INSERT INTO leads (ext_id, source, first_name, email, created_at)
        SELECT @prefix || i, (ARRAY['organic', 'paid', 'event', 'social'])[1 + i % 4], 'Ana', CASE WHEN i % 3 <> 0 THEN 'u' || i || '@acme.example' END, @created
        FROM generate_series(1, @count) AS i
        """,
        ("prefix", prefix), ("count", count), ("created", T0.AddDays(-100)));

    /// <summary>The next lead gets this number: leads of several blocks without filling them.</summary>
    public Task NextLeadIdAsync(long leadId) =>
        Database.ExecuteAsync("SELECT setval(pg_get_serial_sequence('leads', 'lead_id'), @id, false)", ("id", leadId));

    public async Task<int?> ScoreOfAsync(string extId) =>
        await Database.ScalarAsync<int?>("SELECT score FROM leads WHERE ext_id = @id", ("id", extId));

    /// <summary>Leads whose stored score or priority is not what the rules make of them now.</summary>
    public async Task AllAreRightAsync(DateTimeOffset asOf, bool engagement = true, bool model = false) => Assert.Empty(await Database.QueryAsync(
        """
        SELECT l.ext_id || ': stored ' || coalesce(l.score::text, 'nothing') || ', is ' || k.score
        FROM scoring_rules r
        CROSS JOIN LATERAL lead_score_calculation(r.version, @as_of, @engagement, @model, 0, 9223372036854775807) AS k
        JOIN leads l USING (lead_id)
        WHERE r.active AND (l.score IS DISTINCT FROM k.score OR l.priority IS DISTINCT FROM k.priority)
        LIMIT 20
        """,
        row => row.GetString(0),
        ("as_of", asOf), ("engagement", engagement), ("model", model)));

    /// <summary>
    /// Every lead's history is a chain: each row begins at the score the row before ended with, the first at none, and the last is the
    /// stored score. No row belongs to no lead.
    /// </summary>
    public async Task HistoryIsUnbrokenAsync()
    {
        await Database.ExecuteAsync("ANALYZE leads; ANALYZE lead_scores");
        Assert.Empty(await Database.QueryAsync(
            """
            SELECT ext_id || ' at ' || calculated_at || ': from ' || coalesce(previous_score::text, 'nothing') || ', but before it was '
              || coalesce(before::text, 'nothing')
            FROM (
              SELECT l.ext_id, s.*, lag(s.score) OVER (PARTITION BY s.lead_id ORDER BY s.calculated_at, s.id) AS before
              FROM lead_scores s JOIN leads l USING (lead_id)) AS chain
            WHERE previous_score IS DISTINCT FROM before
            LIMIT 20
            """,
            row => row.GetString(0)));
        Assert.Empty(await Database.QueryAsync(
            """
            SELECT l.ext_id || ': stored ' || coalesce(l.score::text, 'nothing') || ', history ends with ' || coalesce(s.score::text, 'nothing')
            FROM leads l
            LEFT JOIN (SELECT DISTINCT ON (lead_id) * FROM lead_scores ORDER BY lead_id, calculated_at DESC, id DESC) AS s USING (lead_id)
            WHERE l.score IS DISTINCT FROM s.score
            LIMIT 20
            """,
            row => row.GetString(0)));
        Assert.Equal(0, await Database.ScalarAsync<long>("SELECT count(*) FROM lead_scores WHERE lead_id NOT IN (SELECT lead_id FROM leads)"));
    }

    /// <summary>The factors of every explained row add up to its score.</summary>
    public async Task FactorsAddUpAsync() => Assert.Empty(await Database.QueryAsync(
        """
        SELECT lead_ext_id || ': ' || score || ' ' || scoring_factors
        FROM lead_score_history
        WHERE score <> (SELECT sum(points::int) FROM jsonb_each_text(scoring_factors -> 'factors') AS f (name, points))
        LIMIT 20
        """,
        row => row.GetString(0)));

    /// <summary>Returns when a session of this step waits for a lock.</summary>
    public Task WaitsForALockAsync(string step) => Eventually.HoldsAsync($"{step} waits for a lock", async () => await Database.ScalarAsync<bool>(
        """
        SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = @name)
        """,
        ("name", "sales-tasks " + step)));

    private static string Comma(string list) => list.Length == 0 ? "" : ", " + list;
}

/// <summary>What a command gave back.</summary>
internal sealed record Answer(ExitCode ExitCode, string Output, string Errors)
{
    /// <summary>The last line of the output.</summary>
    public JsonElement Json => TestBase.Json.Parse(Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]);

    public override string ToString() => $"{ExitCode}\n{Output}\n{Errors}";
}

/// <summary>The counts of a result line.</summary>
internal sealed class Counts(JsonElement counts)
{
    public long this[string name] => counts.GetProperty(name).GetInt64();

    public (long Evaluated, long Changed) Work => (this["evaluated"], this["changed"]);

    public override string ToString() => counts.GetRawText();
}
