using System.Diagnostics.CodeAnalysis;
using Npgsql;
using SalesTasks.Database;
using SalesTasks.Demo;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Demo;

/// <summary>The sample in the database.</summary>
public sealed class SampleLoaderTests(SampleLoaderTests.Loaded loaded) : IClassFixture<SampleLoaderTests.Loaded>
{
    private static readonly SampleOptions Options = new(new DateTimeOffset(2026, 6, 17, 10, 0, 0, TimeSpan.Zero)) { Leads = 5_000 };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Load_OfTheSample_HasExactlyItsSizes()
    {
        Assert.Equal(5_000, await CountAsync("SELECT count(*) FROM leads"));
        Assert.Equal(25, await CountAsync("SELECT count(*) FROM sales_reps"));
        Assert.Equal(50_000, await CountAsync("SELECT count(*) FROM sales_followup_tasks"));
        Assert.Equal(5_000, await CountAsync("SELECT count(*) FROM demo_truth"));
        Assert.Equal(loaded.Counts.Events, await CountAsync("SELECT count(*) FROM lead_engagement_events"));
        Assert.Equal(loaded.Counts.Deals, await CountAsync("SELECT count(*) FROM sales_pipeline"));
        Assert.Equal(loaded.Counts.StageChanges, await CountAsync("SELECT count(*) FROM sales_stage_history"));
        Assert.Equal(loaded.Counts.Executions, await CountAsync("SELECT count(*) FROM sales_campaign_executions"));
        Assert.Equal(loaded.Counts.CampaignEvents, await CountAsync("SELECT count(*) FROM sales_campaign_events"));
    }

    [Fact]
    public async Task Load_Twice_GivesTheSameRows()
    {
        var options = Options with { Leads = 500 };
        var first = await FingerprintAsync(options);

        Assert.Equal(first, await FingerprintAsync(options));
        var other = await FingerprintAsync(options with { Seed = 2 });
        string[] filled = ["leads", "sales_pipeline", "sales_followup_tasks", "lead_engagement_events"];
        Assert.All(filled, table => Assert.NotEqual(first[table], other[table]));
    }

    [Fact]
    public async Task Load_IntoADatabaseWithLeads_IsRefused()
    {
        await using var database = loaded.Database.Open(asOf: Options.Present);

        var refused = await Assert.ThrowsAsync<JobException>(
            () => new SampleLoader(database, new SampleGenerator(Options)).LoadAsync(null, Token));

        Assert.Equal(ExitCode.Usage, refused.ExitCode);
        Assert.Contains("empty", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_AsSchemaOwnerWithoutSuperuser_Works()
    {
        await using var database = await TestDatabase.CreateAsync(loaded.Database.Server, migrated: false);
        await using var role = await TestRole.CreateAsync(database);
        await database.ExecuteAsync($"CREATE SCHEMA sales AUTHORIZATION {role.Name}");
        await database.ExecuteAsync($"ALTER ROLE {role.Name} SET search_path = sales");
        await using var sales = new SalesDatabase(
            role.Connection, new SalesDatabaseOptions { AsOf = Options.Present }, TimeProvider.System);
        await new Migrator(sales, TimeProvider.System).MigrateAsync(Token);

        var counts = await new SampleLoader(sales, new SampleGenerator(Options with { Leads = 100 })).LoadAsync(null, Token);

        Assert.Equal(1_000, counts.Tasks);
        Assert.Equal(counts.Deals, await database.ScalarAsync<long>("SELECT count(*) FROM sales.sales_pipeline"));
    }

    [Fact]
    public Task ClosedAt_OfDeals_IsSetWhereTheyAreClosed() => AssertNoneAsync(
        """
        SELECT FROM sales_pipeline
        WHERE (closed_at IS NOT NULL) <> (stage >= 'closed_won') OR closed_at < qualified_at OR closed_at > @as_of
        """);

    [Fact]
    public Task StageHistory_OfDeals_LeadsFromQualificationToTheirStage() => AssertNoneAsync(
        """
        SELECT FROM sales_pipeline p
        CROSS JOIN LATERAL (
          SELECT
            array_agg(h.from_stage::text ORDER BY h.id) AS came_from,
            array_agg(h.to_stage::text ORDER BY h.id) AS went_to,
            array_agg(h.changed_at ORDER BY h.id) AS moments,
            bool_and(h.changed_at <= @as_of) AS past
          FROM sales_stage_history h WHERE h.pipeline_id = p.id
        ) h
        WHERE h.went_to IS NULL
          OR h.came_from[1] IS NOT NULL OR h.went_to[1] <> 'qualified' OR h.moments[1] <> p.qualified_at
          OR h.came_from[2:] <> h.went_to[:cardinality(h.went_to) - 1]
          OR h.went_to[cardinality(h.went_to)] <> p.stage::text
          OR (p.closed_at IS NOT NULL AND p.closed_at <> h.moments[cardinality(h.moments)])
          OR h.moments <> (SELECT array_agg(m ORDER BY m) FROM unnest(h.moments) AS m)
          OR NOT h.past
        """);

    [Fact]
    public Task FirstContact_OfDeals_IsTheMomentTheyWereContacted() => AssertNoneAsync(
        """
        SELECT FROM sales_pipeline p
        LEFT JOIN sales_stage_history h ON h.pipeline_id = p.id AND h.to_stage = 'contacted'
        WHERE p.first_contact_at IS DISTINCT FROM h.changed_at OR p.last_contact_at < p.first_contact_at OR p.last_contact_at > @as_of
        """);

    [Fact]
    public Task Deals_Copies_AreThoseOfTheirLead() => AssertNoneAsync(
        """
        SELECT FROM sales_pipeline p JOIN leads l ON l.ext_id = p.lead_ext_id
        WHERE (p.email, p.first_name, p.last_name, p.phone, p.source, p.estimated_value)
          IS DISTINCT FROM (l.email, l.first_name, l.last_name, l.phone, l.source, l.estimated_value)
        """);

    [Fact]
    public Task Executions_State_FitsTheirInstants() => AssertNoneAsync(
        """
        SELECT FROM sales_campaign_executions e
        WHERE (e.status = 'active') <> (e.next_action_at IS NOT NULL) OR (e.status = 'active') = (e.completed_at IS NOT NULL)
          OR e.current_step > e.total_steps OR e.next_action_at <= @as_of
        """);

    [Fact]
    public Task Assignees_OfDealsAndTasks_AreReps() => AssertNoneAsync(
        """
        SELECT FROM (SELECT assigned_to FROM sales_pipeline UNION ALL SELECT assigned_to FROM sales_followup_tasks) a
        WHERE a.assigned_to IS NOT NULL AND NOT EXISTS (SELECT FROM sales_reps r WHERE r.email = a.assigned_to)
        """);

    [Fact]
    public async Task Engagement_Counts_LeaveBotsOut()
    {
        await AssertNoneAsync(
            """
            SELECT FROM (
              SELECT l.lead_id,
                count(*) FILTER (WHERE event_type = 'reply' AND NOT is_bot) AS replies,
                count(*) FILTER (WHERE event_type = 'click' AND NOT is_bot) AS clicks,
                count(*) FILTER (WHERE is_bot) AS bots
              FROM lead_engagement_events e JOIN leads l ON l.ext_id = e.lead_ext_id GROUP BY l.lead_id
            ) e
            LEFT JOIN lead_engagement g USING (lead_id)
            WHERE (e.replies, e.clicks, e.bots) IS DISTINCT FROM (g.replies::bigint, g.clicks::bigint, g.bot_events::bigint)
            """);
        var share = await loaded.Database.ScalarAsync<decimal>("SELECT avg(is_bot::int) FROM lead_engagement_events");
        Assert.InRange(share, 0.1m, 0.35m);
    }

    [Fact]
    public async Task Truth_OfDeals_MatchesWhatHappened()
    {
        // Calibration seen from SQL alone: deals old enough to be closed.
        var deviations = await loaded.Database.ScalarAsync<double>(
            """
            SELECT abs(sum((p.stage = 'closed_won')::int - t.win_probability)) / sqrt(sum(t.win_probability * (1 - t.win_probability)))
            FROM sales_pipeline p JOIN demo_truth t USING (lead_ext_id)
            WHERE p.qualified_at < @as_of - interval '300 days'
            """,
            ("as_of", Options.Present));
        Assert.InRange(deviations, 0, 4);
        await AssertNoneAsync(
            """
            SELECT FROM demo_truth t LEFT JOIN sales_pipeline p USING (lead_ext_id)
            WHERE (p.stage < 'closed_won') IS DISTINCT FROM (CASE WHEN p.id IS NOT NULL THEN t.current_win_probability IS NOT NULL END)
              OR t.win_probability NOT BETWEEN 0 AND 1 OR t.current_win_probability NOT BETWEEN 0 AND 1
              OR t.expected_days_to_close <= 0 OR t.current_days_to_close <= 0
              OR (t.rep_effect IS NULL) <> (p.assigned_to IS NULL)
            """);
    }

    [Theory]
    [InlineData("SELECT count(*) FROM v_sales_dashboard")]
    [InlineData("SELECT count(*) FROM v_leads_requires_attention")]
    [InlineData("SELECT count(*) FROM v_sales_rep_performance")]
    [InlineData("SELECT count(*) FROM v_sales_forecast")]
    [InlineData("SELECT count(*) FROM v_conversion_funnel WHERE total_leads > 0")]
    [InlineData("SELECT count(*) FROM mv_sales_metrics WHERE total_qualified > 0 AND tasks_completed > 0")]
    [InlineData("SELECT count(*) FROM get_top_opportunities()")]
    [InlineData("SELECT count(*) FROM get_leads_at_risk()")]
    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "The test's own text.")]
    public async Task Views_OfTheContract_HaveRows(string query)
    {
        await using var connection = await loaded.Database.OpenConnectionAsync();
        await using var command = new NpgsqlCommand($"SET salestasks.as_of = '2026-06-17T10:00:00Z'; {query}", connection);

        Assert.True((long)(await command.ExecuteScalarAsync(Token))! > 0);
    }

    [Theory]
    [InlineData("docs/demo.md")]
    [InlineData("docs/es/demo.md")]
    public async Task Comparison_OfTheDocs_TellsEveryOpenStage(string path)
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Checkout.Root, path), Token);
        var query = page.Split("```sql\n")[1].Split("```")[0].TrimEnd().TrimEnd(';');

        Assert.Equal(5, await CountAsync($"SELECT count(*) FROM ({query}) AS comparison"));
    }

    [Fact]
    public async Task DealsOfTomorrow_AfterTheLoad_GetNumbersAndHistoryAgain()
    {
        await using var connection = await loaded.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await using var insert = new NpgsqlCommand(
            """
            WITH deal AS (
              INSERT INTO sales_pipeline (lead_ext_id, email)
              SELECT ext_id, 'new@example.com' FROM leads l
              WHERE NOT EXISTS (SELECT FROM sales_pipeline p WHERE p.lead_ext_id = l.ext_id)
              LIMIT 1
              RETURNING id)
            SELECT id FROM deal
            """,
            connection);
        var id = (long)(await insert.ExecuteScalarAsync(Token))!;
        await using var history = new NpgsqlCommand("SELECT count(*) FROM sales_stage_history WHERE pipeline_id = $1", connection);
        history.Parameters.Add(new NpgsqlParameter { Value = id });

        Assert.Equal(loaded.Counts.Deals + 1, id);
        Assert.Equal(1L, await history.ExecuteScalarAsync(Token));
        await transaction.RollbackAsync(Token);
    }

    private async Task<IReadOnlyDictionary<string, string>> FingerprintAsync(SampleOptions options)
    {
        await using var database = await TestDatabase.CreateAsync(loaded.Database.Server);
        await using var sales = database.Open(asOf: options.Present);
        await new SampleLoader(sales, new SampleGenerator(options)).LoadAsync(null, Token);
        return await database.FingerprintAsync("audit_log");
    }

    private async Task<long> CountAsync(string query) => await loaded.Database.ScalarAsync<long>(query);

    private async Task AssertNoneAsync(string query) => Assert.Equal(
        0L, await loaded.Database.ScalarAsync<long>($"SELECT count(*) FROM ({query}) AS broken", ("as_of", Options.Present)));

    /// <summary>Half a demo's sample, loaded once.</summary>
    public sealed class Loaded(PostgresServer server) : IAsyncLifetime
    {
        internal TestDatabase Database { get; private set; } = null!;

        internal SampleCounts Counts { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Database = await TestDatabase.CreateAsync(server);
            await using var sales = Database.Open(asOf: Options.Present);
            Counts = await new SampleLoader(sales, new SampleGenerator(Options)).LoadAsync(null, Token);
        }

        public async ValueTask DisposeAsync() => await Database.DisposeAsync();
    }
}
