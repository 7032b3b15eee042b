using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Scoring;

/// <summary>
/// What the statements cost with 300,000 leads, in rows their plans handle and not in seconds: proportional to a chunk or to what is due,
/// never to the table, whatever the planner knows of it.
/// </summary>
public sealed class StatementShapeTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private const int Leads = 300_000;
    private const int Chunk = 16_384;

    private static readonly DateTimeOffset T0 = ScoringRig.T0;

    [Fact]
    public async Task Statements_With300000Leads_HandleAChunkOrWhatIsDue()
    {
        await LoadAsync(Leads);

        // Fresh from the load: nothing was ever analysed, everything is due.
        await AssertBlockAsync("never analysed");
        await AssertDueAsync("never analysed, all due", 0, (1 << 15) - 1, due: 20_000);
        await LeaveDueAsync(1_000);
        await AssertDueAsync("never analysed, 1,000 due", 0, Leads, due: 1_000);

        await database.ExecuteAsync("ANALYZE");
        await AssertBlockAsync("analysed");
        await AssertDueAsync("analysed, 1,000 due", 0, Leads, due: 1_000);
        await AssertExplainAsync();

        // Analysed when the tables were small, then filled by a load.
        await database.ExecuteAsync("TRUNCATE leads CASCADE");
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source) SELECT 'small' || i, 'x' FROM generate_series(1, 50) AS i; ANALYZE; DELETE FROM leads");
        await LoadAsync(60_000);
        await AssertBlockAsync("analysed when small");
        await LeaveDueAsync(1_000);
        await AssertDueAsync("analysed when small, 1,000 due", 0, Leads, due: 1_000);
    }

    [Theory]
    [InlineData(200, false)]
    [InlineData(1_500, false)]
    [InlineData(200, true)]
    [InlineData(1_500, true)]
    [InlineData(6_000, false)]
    public async Task ScoreBlock_FewLeadsNeverAnalysed_IsLinear(int leads, bool listsAnalysed)
    {
        // Small and unknown tables look like one row to the planner: the trap of plans that calculate all leads for each lead.
        await using var own = await TestDatabase.CreateAsync(database.Server);
        await own.ExecuteAsync("ALTER TABLE leads SET (autovacuum_enabled = off); ALTER TABLE lead_engagement SET (autovacuum_enabled = off)");
        await own.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, email, created_at)
            SELECT 'l' || i, 's' || i % 20, 'u' || i || '@acme.example', '2025-01-01' FROM generate_series(1, @leads) AS i;
            """,
            ("leads", leads));
        await own.ExecuteAsync("INSERT INTO lead_engagement (lead_id, replies) SELECT lead_id, 1 FROM leads");
        await own.ExecuteAsync("INSERT INTO lead_model_scores (lead_id, model_score, model_version) SELECT lead_id, 50, 'm' FROM leads");
        if (listsAnalysed)
        {
            // As autovacuum does in time: the planner knows that these are short, and would read them whole for the one lead it expects.
            await own.ExecuteAsync("ANALYZE free_mail_domains");
        }

        foreach (var model in (bool[])[false, true])
        {
            foreach (var statement in (string[])["scoring/source_points_of_block", "scoring/age_boundaries_of_block", "scoring/score_block", "scoring/preview_block"])
            {
                var plan = await QueryPlan.OfAsync(own, statement, [.. Block(0), ("model", model)]);
                Assert.True(plan.Work <= 60L * leads, $"{statement}, {leads} leads, model {model}: {plan.Work} rows handled.\n{plan.Text}");
            }
        }
    }

    private async Task AssertBlockAsync(string state)
    {
        foreach (var statement in (string[])["scoring/source_points_of_block", "scoring/age_boundaries_of_block", "scoring/score_block", "scoring/preview_block"])
        {
            var plan = await QueryPlan.OfAsync(database, statement, Block(1L << 15));
            Assert.True(plan.Work <= 60L * Chunk, $"{statement}, {state}: {plan.Work} rows handled for {Chunk} leads.\n{plan.Text}");
            plan.ShouldNotScan("leads", "lead_engagement", "lead_score_due");
        }
    }

    private async Task AssertDueAsync(string state, long first, long last, int due)
    {
        (string, object?)[] parameters = [.. Block(first, last), ("limit", 20_000L), ("settings", "these")];
        foreach (var statement in (string[])["scoring/source_points_of_due", "scoring/age_boundaries_of_due", "scoring/score_due", "scoring/preview_due"])
        {
            var plan = await QueryPlan.OfAsync(database, statement, parameters);
            // The list itself may be read from end to end, dead rows not counted; a block's leads and list rows too.
            Assert.True(
                plan.Work <= (60L * due) + (20 * Math.Min(last - first, 1 << 16)), $"{statement}, {state}: {plan.Work} rows handled for {due} leads.\n{plan.Text}");
            if (due < 20_000)
            {
                plan.ShouldNotScan("leads", "lead_engagement");
            }
        }
    }

    private async Task AssertExplainAsync()
    {
        var plan = await QueryPlan.OfAsync(database, "scoring/explain", [("lead", "lead-1234"), ("as_of", T0), ("model", true)]);
        plan.ShouldNotScan("leads", "lead_engagement", "lead_score_due");
    }

    private async Task LoadAsync(int leads)
    {
        await database.ExecuteAsync("SELECT setval(pg_get_serial_sequence('leads', 'lead_id'), 1, false)");
        foreach (var table in (string[])["leads", "lead_engagement", "lead_score_due", "scoring_source_points", "scoring_blocks"])
        {
            await database.ExecuteAsync($"ALTER TABLE {table} SET (autovacuum_enabled = off)");
        }

        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, first_name, email, phone, created_at)
            SELECT 'lead-' || i, (ARRAY['organic', 'Direct Traffic', 'referral', 'paid_search', 'Google', 'social media', 'event', 'ad'])[1 + i % 8], 'Ana',
              CASE WHEN i % 11 <> 0 THEN 'u' || i || '@' || (ARRAY['gmail.com', 'acme.example', 'university.edu'])[1 + i % 3] END, '600123456',
              @now - i % 400 * interval '1 day'
            FROM generate_series(1, @leads) AS i
            """,
            ("leads", leads), ("now", T0));
        await database.ExecuteAsync("INSERT INTO lead_engagement (lead_id, replies, opens) SELECT lead_id, 1, lead_id % 5 FROM leads WHERE lead_id % 2 = 0");
        await database.ExecuteAsync(
            "INSERT INTO scoring_blocks (block, settings, scored_through) SELECT b, 'these', (b + 1) * 32768 - 1 FROM generate_series(0, @leads >> 15) AS b", ("leads", leads));
    }

    private async Task LeaveDueAsync(int due)
    {
        await database.ExecuteAsync("TRUNCATE lead_score_due");
        await database.ExecuteAsync(
            "UPDATE leads SET demo_requested = true WHERE lead_id % (SELECT count(*) / @due FROM leads) = 0", ("due", due));
        Assert.Equal(due, await database.ScalarAsync<long>("SELECT count(*) FROM lead_score_due"));
    }

    private static (string Name, object? Value)[] Block(long first, long? last = null) =>
    [
        ("first", first), ("last", last ?? (first + Chunk - 1)), ("as_of", T0), ("rule_version", 1), ("engagement", true), ("model", false), ("set_priority", true),
    ];
}
