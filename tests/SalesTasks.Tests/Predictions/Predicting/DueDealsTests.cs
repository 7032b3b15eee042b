using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Predictions.Predicting;

/// <summary>
/// Runs look at the deals on the list alone, and yet leave nothing that a run over all of them would change: whatever is written, whenever it counts
/// from, whichever instant runs work at.
/// </summary>
public sealed class DueDealsTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const int Deals = 60;

    /// <summary>Edits of everything that a prediction follows from: @deal is a deal, @other another one, @lead and @else their leads, @at and @later instants, @n a small number.</summary>
    private static readonly string[] s_edits =
    [
        "INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at, is_bot) VALUES (@lead, (ARRAY['reply', 'click', 'open', 'visit', 'demo', 'pricing'])[1 + @n % 6], @at, @n % 5 = 0)",
        "UPDATE lead_engagement_events SET occurred_at = @at WHERE lead_ext_id = @lead",
        "UPDATE lead_engagement_events SET is_bot = NOT is_bot WHERE lead_ext_id IN (@lead, @else)",
        "UPDATE lead_engagement_events SET event_type = 'demo' WHERE lead_ext_id = @lead",
        "UPDATE lead_engagement_events SET lead_ext_id = @else WHERE lead_ext_id = @lead",
        "UPDATE lead_engagement_events SET metadata = '{\"nothing\": 1}' WHERE lead_ext_id = @lead",
        "DELETE FROM lead_engagement_events WHERE lead_ext_id = @lead",
        """
        INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, created_at, completed_at, updated_at)
        SELECT @deal, @lead, (ARRAY['email', 'call', 'meeting', 'custom'])[1 + @n % 4], 'T', s, least(@at, @later), CASE WHEN s = 'completed' THEN @later END, @later
        FROM (SELECT (ARRAY['pending', 'completed', 'cancelled', 'skipped', 'in_progress'])[1 + @n % 5] AS s) AS x
        """,
        "UPDATE sales_followup_tasks SET status = (ARRAY['pending', 'completed', 'cancelled', 'skipped', 'in_progress'])[1 + @n % 5] WHERE pipeline_id = @deal",
        "UPDATE sales_followup_tasks SET status = 'completed', completed_at = @at WHERE pipeline_id = @deal",
        "UPDATE sales_followup_tasks SET status = 'cancelled', updated_at = @later WHERE pipeline_id = @deal",
        "UPDATE sales_followup_tasks SET created_at = @at WHERE pipeline_id = @deal",
        "UPDATE sales_followup_tasks SET task_type = 'email' WHERE pipeline_id = @deal",
        "UPDATE sales_followup_tasks SET pipeline_id = @other, lead_ext_id = @else WHERE pipeline_id = @deal",
        "UPDATE sales_followup_tasks SET due_date = @at, metadata = '{}' WHERE pipeline_id = @deal",
        "DELETE FROM sales_followup_tasks WHERE pipeline_id = @deal",
        "UPDATE sales_stage_history SET changed_at = @at WHERE pipeline_id = @deal AND to_stage > 'qualified'",
        "UPDATE sales_stage_history SET changed_at = '1985-03-01' WHERE pipeline_id = @deal AND to_stage = 'qualified'",
        "UPDATE sales_stage_history SET to_stage = 'proposal_sent' WHERE pipeline_id = @deal AND to_stage IN ('contacted', 'meeting_scheduled')",
        "INSERT INTO sales_stage_history (pipeline_id, lead_ext_id, to_stage, changed_at) VALUES (@deal, @lead, 'negotiating', @at)",
        "DELETE FROM sales_stage_history WHERE pipeline_id = @deal AND to_stage > 'contacted'",
        "DELETE FROM sales_stage_history WHERE pipeline_id = @deal AND @n = 3",
        "UPDATE leads SET source = (ARRAY['ad', 'referral', 'event', 'new'])[1 + @n % 4] WHERE ext_id = @lead",
        "UPDATE leads SET product_interest = 'p' || @n WHERE ext_id = @lead",
        "UPDATE leads SET industry = 'i' || @n WHERE ext_id = @lead",
        "UPDATE leads SET phone = CASE WHEN phone IS NULL THEN '+1 202 555 0100' END WHERE ext_id = @lead",
        "UPDATE leads SET created_at = CASE @n % 4 WHEN 0 THEN NULL WHEN 1 THEN '1970-01-01' WHEN 2 THEN 'infinity' ELSE @at END WHERE ext_id = @lead",
        "UPDATE leads SET score = @n, priority = 'high' WHERE ext_id = @lead",
        "UPDATE leads SET ext_id = ext_id || '-' || @n, source = 'moved' WHERE ext_id = @lead",
        "UPDATE sales_pipeline SET stage = (ARRAY['qualified', 'contacted', 'meeting_scheduled', 'closed_won', 'closed_lost'])[1 + @n % 5]::pipeline_stage WHERE id = @deal",
        "UPDATE sales_pipeline SET stage = 'contacted' WHERE stage >= 'closed_won'",
        "UPDATE sales_pipeline SET estimated_value = CASE WHEN @n > 2 THEN 100 * @n END WHERE id = @deal",
        "UPDATE sales_pipeline SET metadata = (ARRAY['{}', '[1]', NULL, '{\"ml_predictions\": null}', '{\"a\": 1}'])[1 + @n % 5]::jsonb WHERE id = @deal",
        "UPDATE sales_pipeline SET metadata = metadata || '{\"b\": 1}', probability_pct = @n WHERE id = @deal AND jsonb_typeof(metadata) = 'object'",
        "INSERT INTO lead_contact_timing (lead_ext_id, interval_days) VALUES (@lead, 1 + @n) ON CONFLICT (lead_ext_id) DO UPDATE SET interval_days = excluded.interval_days",
        "UPDATE lead_contact_timing SET lead_ext_id = @else WHERE lead_ext_id = @lead AND NOT EXISTS (SELECT FROM lead_contact_timing WHERE lead_ext_id = @else)",
        "DELETE FROM lead_contact_timing WHERE lead_ext_id IN (@lead, @else)",
        "DELETE FROM deal_predictions WHERE pipeline_id = @deal",
        "UPDATE deal_predictions SET inputs_hash = 1 WHERE pipeline_id = @deal",
        "DELETE FROM sales_pipeline WHERE id = @deal AND @n % 3 = 0",
        "DELETE FROM leads WHERE ext_id = @lead AND @n % 3 = 0",
        "WITH l AS (INSERT INTO leads (ext_id, source, email, created_at) VALUES ('new' || @deal || '-' || @n, 'ad', 'n@acme.example', @at) ON CONFLICT DO NOTHING RETURNING ext_id, email) INSERT INTO sales_pipeline (lead_ext_id, email, stage, qualified_at) SELECT ext_id, email, 'contacted', @at FROM l",
    ];

    private static readonly string[] s_truncations =
        ["lead_engagement_events", "sales_followup_tasks", "lead_contact_timing", "deal_predictions"];

    private readonly PredictRig _rig = new(database);

    public async ValueTask InitializeAsync()
    {
        await _rig.EmptyAsync();
        await _rig.PublishAsync();
        await _rig.AddDealsAsync(Deals);
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Predict_WhateverChanges_LeavesNothingToARunOverAll(int seed)
    {
        var random = new Random(seed);
        var asOf = PredictRig.T0;
        var newest = asOf;
        string[] flags = [];
        var steps = new List<string>();
        for (var step = 0; step < 30; step++)
        {
            for (var edits = random.Next(4); edits > 0; edits--)
            {
                var edit = random.Next(60) == 0 ? $"TRUNCATE {s_truncations[random.Next(s_truncations.Length)]}" : s_edits[random.Next(s_edits.Length)];
                steps.Add(edit);
                await EditAsync(edit, random, asOf);
            }

            // Mostly on, within the day or beyond it; now and then back.
            newest = asOf > newest ? asOf : newest;
            asOf = random.Next(8) switch
            {
                0 => newest.AddHours(24),
                1 => asOf.AddHours(-random.Next(1, 30)),
                2 => newest,
                _ => asOf.AddMinutes(random.Next(0, 300)),
            };
            if (random.Next(6) == 0)
            {
                flags = random.Next(3) switch { 0 => ["--min-probability-threshold", "30"], 1 => ["--ml-model-type", "value"], _ => [] };
            }

            if (random.Next(15) == 0)
            {
                _ = random.Next(2) == 0 ? await _rig.PublishAsync() : await database.ExecuteAsync("UPDATE ml_models SET status = 'retired', retired_at = now()");
            }

            steps.Add($"run at {asOf:O} {string.Join(' ', flags)}");
            var dry = await _rig.PredictAsync(asOf, [.. flags, "--dry-run"]);
            var answer = await _rig.PredictAsync(asOf, flags);
            Assert.Equal(PredictRig.Count(dry, "predicted"), PredictRig.Count(answer, "predicted"));
            Assert.True(await LeftByARunOverAllAsync(asOf, flags) is (0, var open) && open == PredictRig.Count(answer, "deals"), $"seed {seed}: {string.Join("\n", steps)}");
        }
    }

    [Fact]
    public async Task Predict_EachEditInTurn_LeavesNothingToARunOverAll()
    {
        var random = new Random(7);
        var asOf = PredictRig.T0.AddHours(-12);
        await _rig.PredictAsync(asOf);
        foreach (var edit in s_edits)
        {
            await EditAsync(edit, random, asOf);
            await EditAsync(edit, random, asOf);
            // All on one day: no run looks at all deals.
            asOf = asOf.AddMinutes(30);
            await _rig.PredictAsync(asOf);
            Assert.True((await LeftByARunOverAllAsync(asOf, [])).Predicted == 0, edit);
        }
    }

    [Fact]
    public async Task Predict_LaterTheSameDay_LooksAtWhatIsOnTheListAlone()
    {
        await _rig.PredictAsync();
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM deal_prediction_due WHERE due_at <= @at", ("at", PredictRig.T0)));
        var before = await database.RowsAsync("SELECT block::text, version::text FROM deal_prediction_blocks ORDER BY block");

        // Past the triggers: only a run that looks at all deals would see it.
        await database.ExecuteAsync("SET LOCAL session_replication_role = replica; UPDATE leads SET source = 'unseen'");
        Assert.Equal(0, PredictRig.Count(await _rig.PredictAsync(PredictRig.T0.AddHours(1)), "predicted"));
        Assert.Equal(before, await database.RowsAsync("SELECT block::text, version::text FROM deal_prediction_blocks ORDER BY block"));

        await database.ExecuteAsync("UPDATE sales_pipeline SET estimated_value = 77 WHERE lead_ext_id = 'd3'");
        Assert.Equal(1, PredictRig.Count(await _rig.PredictAsync(PredictRig.T0.AddHours(2)), "predicted"));
        var tomorrow = await _rig.PredictAsync(PredictRig.T0.AddHours(13));
        Assert.Equal((Deals, Deals), (PredictRig.Count(tomorrow, "predicted"), PredictRig.Count(tomorrow, "deals")));
    }

    [Fact]
    public async Task Predict_LeadOfTheEpoch_IsPredictedOnce()
    {
        await database.ExecuteAsync("UPDATE leads SET created_at = '1970-01-01'");
        await _rig.PredictAsync();

        Assert.Equal(0, PredictRig.Count(await _rig.PredictAsync(PredictRig.T0.AddHours(1)), "predicted"));
        Assert.Equal((0, Deals), await LeftByARunOverAllAsync(PredictRig.T0.AddHours(2), []));
    }

    [Fact]
    public async Task Maintain_PredictionsNotRunForDays_ShortensTheListAndLosesNothing()
    {
        await _rig.PredictAsync();
        await database.ExecuteAsync(
            """
            UPDATE leads SET source = 'changed' WHERE ext_id = 'd5';
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at) VALUES ('d6', 'reply', @later)
            """,
            ("later", PredictRig.T0.AddDays(2.1)));

        Assert.Equal(ExitCode.Done, (await _rig.RunAsync("db", "maintain", "--as-of", PredictRig.T0.AddDays(1.9).ToString("O"))).ExitCode);
        Assert.Equal(2, await database.ScalarAsync<long>("SELECT count(*) FROM deal_prediction_due"));
        Assert.Equal(ExitCode.Done, (await _rig.RunAsync("db", "maintain", "--as-of", PredictRig.T0.AddDays(4).ToString("O"))).ExitCode);
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM deal_prediction_due"));

        foreach (var hours in (double[])[0, 47, 49, 50.5])
        {
            await _rig.PredictAsync(PredictRig.T0.AddHours(hours));
            Assert.Equal((0, Deals), await LeftByARunOverAllAsync(PredictRig.T0.AddHours(hours), []));
        }
    }

    private async Task EditAsync(string edit, Random random, DateTimeOffset asOf)
    {
        var deals = await database.QueryAsync("SELECT id, lead_ext_id FROM sales_pipeline ORDER BY id", row => (Id: row.GetInt64(0), Lead: row.GetString(1)));
        var one = deals[random.Next(deals.Count)];
        var other = deals[random.Next(deals.Count)];
        // The clock of who writes is that of the run, or some hours ahead of it.
        DateTimeOffset At() => asOf.AddMinutes(random.Next(-3000, 1500));
        await database.ExecuteAsync(
            $"SET salestasks.as_of = '{asOf.AddMinutes(random.Next(-60, 300)):O}'; {edit}; RESET salestasks.as_of",
            ("deal", one.Id), ("lead", one.Lead), ("other", other.Id), ("else", other.Lead), ("at", At()), ("later", At()), ("n", random.Next(10)));
    }

    /// <summary>What a run over all deals would predict anew, and how many are open. Leaves no trace.</summary>
    private async Task<(long Predicted, long Deals)> LeftByARunOverAllAsync(DateTimeOffset asOf, string[] flags)
    {
        await database.ExecuteAsync(
            "CREATE TABLE kept_blocks AS TABLE deal_prediction_blocks; UPDATE deal_prediction_blocks SET settings = 'of another program'");
        var all = await _rig.PredictAsync(asOf, [.. flags, "--dry-run"]);
        await database.ExecuteAsync("UPDATE deal_prediction_blocks b SET settings = k.settings FROM kept_blocks k WHERE k.block = b.block; DROP TABLE kept_blocks");
        return (PredictRig.Count(all, "predicted"), PredictRig.Count(all, "deals"));
    }
}
