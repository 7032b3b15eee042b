using System.Diagnostics.CodeAnalysis;
using Npgsql;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Routing;

/// <summary>What happens between plan and writing, several runs at once, and runs killed at any instant.</summary>
public sealed class MidRunTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly RoutingRig _rig = new(database);
    private NpgsqlConnection _other = null!;

    public async ValueTask InitializeAsync()
    {
        await _rig.ClearAsync();
        _other = await database.OpenConnectionAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _other.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task LeadsAndReps_ChangedWhileTheRunIsUnderWay_AreJudgedAsTheyAreThen()
    {
        foreach (var name in new[] { "fired", "away", "full", "free" })
        {
            await _rig.AddRepAsync(name, "languages", $"'{{{name[..2]}}}'");
        }

        await _rig.AddRepAsync("owner", "languages", "'{zz}'");
        foreach (var (lead, language) in new[] { ("to-fired", "fi"), ("to-away", "aw"), ("to-full", "fu"), ("closed", "fr"), ("taken", "fr"), ("good", "fr") })
        {
            await _rig.AddDealAsync(lead, ("language", $"'{language}'"));
        }

        // Stale leads that their owner may not keep for long: the owner has far too many overdue tasks.
        await _rig.AddStaleDealAsync("called", "owner");
        await _rig.AddStaleDealAsync("noted", "owner");
        await _rig.AddStaleDealAsync("passed-on", "owner");
        await database.ExecuteAsync("UPDATE leads SET language = 'fr' WHERE ext_id IN ('called', 'noted', 'passed-on')");
        await OwnerIsBehindAsync();

        await OtherAsync("BEGIN; SELECT FROM sales_reps FOR UPDATE");
        var run = _rig.AssignAsync();
        await WaitsAsync(1);
        await OtherAsync(
            """
            UPDATE sales_reps SET active = false WHERE email = 'fired@sales.example';
            INSERT INTO sales_rep_absences (rep_email, starts_at) VALUES ('away@sales.example', sales_now());
            UPDATE sales_reps SET max_active_leads = 0 WHERE email = 'full@sales.example';
            UPDATE sales_pipeline SET stage = 'closed_lost' WHERE lead_ext_id = 'closed';
            UPDATE sales_pipeline SET assigned_to = 'boss@sales.example' WHERE lead_ext_id = 'taken';
            UPDATE sales_pipeline SET last_contact_at = sales_now() WHERE lead_ext_id = 'called';
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, completed_at)
            SELECT id, lead_ext_id, 'call', 'Call', 'completed', sales_now() FROM sales_pipeline WHERE lead_ext_id = 'noted';
            COMMIT
            """);
        var answer = await run;

        Assert.Equal((1, 1, 4, 3), (answer["assigned"], answer["reassigned"], answer["kept"], answer["left"]));
        Assert.Equal(
            [
                "called kept contacted", "closed kept closed", "good assigned best", "noted kept contacted", "passed-on reassigned best", "taken kept taken",
                "to-away left rep_absent", "to-fired left rep_inactive", "to-full left rep_full",
            ],
            await database.QueryAsync("SELECT lead_ext_id || ' ' || outcome || ' ' || reason FROM v_routing_decisions ORDER BY 1", row => row.GetString(0)));
        Assert.Equal(
            [("boss", 1), ("free", 2), ("nobody", 3), ("owner", 2)], (await _rig.LoadsAsync()).Select(l => (l.Key, l.Value)).Order());
        // Only those who got something are told.
        Assert.Equal(2, await database.ScalarAsync<long>("SELECT count(*) FROM sales_followup_tasks WHERE metadata ->> 'origin' = 'routing'"));
    }

    [Fact]
    public async Task Contact_NotYetCommittedWhenTheRunComes_CancelsTheTakeOver()
    {
        await _rig.AddRepAsync("free");
        await _rig.AddRepAsync("owner", "languages", "'{zz}'");
        await _rig.AddStaleDealAsync("called", "owner");
        await OwnerIsBehindAsync();
        await OtherAsync("BEGIN; UPDATE sales_pipeline SET last_contact_at = sales_now() WHERE lead_ext_id = 'called'");

        var run = _rig.AssignAsync();
        await WaitsAsync(1);
        await OtherAsync("COMMIT");

        Assert.Equal((0, 1), ((await run)["reassigned"], await database.ScalarAsync<long>("SELECT count(*) FROM routing_decisions WHERE reason = 'contacted'")));
        Assert.Equal("owner", await _rig.OwnerAsync("called"));
    }

    [Theory]
    [InlineData("UPDATE sales_followup_tasks SET status = 'completed'")]
    [InlineData(
        """
        INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status)
        SELECT id, lead_ext_id, 'call', 'Called', 'completed' FROM sales_pipeline WHERE lead_ext_id = 'called'
        """)]
    public async Task ContactTask_NotYetCommittedWhenTheRunComes_CancelsTheTakeOver(string contact)
    {
        await _rig.AddRepAsync("free");
        await _rig.AddRepAsync("owner", "languages", "'{zz}'");
        await _rig.AddStaleDealAsync("called", "owner");
        await database.ExecuteAsync(
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, assigned_to)
            SELECT id, lead_ext_id, 'call', 'Call', assigned_to FROM sales_pipeline
            """);
        await OwnerIsBehindAsync();
        await OtherAsync("BEGIN; " + contact);

        var run = _rig.AssignAsync();
        await WaitsAsync(1);
        await OtherAsync("COMMIT");

        Assert.Equal(0, (await run)["reassigned"]);
        Assert.Equal("owner", await _rig.OwnerAsync("called"));
    }

    [Fact]
    public async Task TwoRuns_WithTheSamePlan_GiveEachLeadOnceAndNeverExceedACapacity()
    {
        await _rig.AddRepAsync("ana", "max_active_leads", "30");
        await _rig.AddRepAsync("eva", "max_active_leads", "20");
        await _rig.AddDealsAsync("d", 70);

        // Both plan before either writes: the second finds all places taken and all leads given.
        await OtherAsync("BEGIN; SELECT FROM sales_reps FOR UPDATE");
        var first = _rig.AssignAsync();
        var second = _rig.AssignAsync();
        await WaitsAsync(2);
        await OtherAsync("COMMIT");
        var answers = await Task.WhenAll(first, second);

        Assert.Equal(50, answers.Sum(a => a["assigned"]));
        Assert.Equal([("ana", 30), ("eva", 20), ("nobody", 20)], (await _rig.LoadsAsync()).Select(l => (l.Key, l.Value)).Order());
        Assert.Equal(50, await database.ScalarAsync<long>("SELECT count(*) FROM routing_decisions WHERE outcome = 'assigned'"));
        Assert.Equal(140, await database.ScalarAsync<long>("SELECT count(*) FROM routing_decisions"));
        Assert.Equal(50, await database.ScalarAsync<long>("SELECT count(*) FROM sales_followup_tasks"));
        Assert.Equal(50, await database.ScalarAsync<long>("SELECT sum(active_leads) FROM sales_reps"));
    }

    [Fact]
    public async Task Runs_SeveralProcessesAtOnce_ShareTheWork()
    {
        await PrepareAsync();
        var program = ProgramRunner.For(database);

        var results = await TwoRunners.RunAsync(() => program.Start("routing", "assign"), InvariantAsync, runners: 3);

        Assert.Equal(400, results.Sum(r => r.Result.GetProperty("counts").GetProperty("assigned").GetInt64()));
    }

    [Fact]
    public async Task Run_KilledAgainAndAgain_LeavesWholeDecisionsAndTheNextGoesOn()
    {
        await PrepareAsync();
        var program = ProgramRunner.For(database).With("SALES_RUN_ID", "the-same");
        var usual = (await program.RunAsync("routing", "assign", "--dry-run")).ShouldExitWith(ExitCode.Done).Duration;

        var killed = await KillHarness.RunAsync(() => program.Start("routing", "assign"), usual * 1.5, kills: 8, seed: 3, InvariantAsync, always: ConsistentAsync);

        Assert.True(killed > 0, "No run was killed.");
    }

    /// <summary>The owner has so many overdue tasks that every stale lead is better off elsewhere.</summary>
    private Task<int> OwnerIsBehindAsync() => database.ExecuteAsync(
        """
        UPDATE sales_reps SET min_active_leads = 0;
        INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, assigned_to, due_date)
        SELECT id, lead_ext_id, 'custom', 'Late', 'owner@sales.example', sales_now() - interval '1 day'
        FROM sales_pipeline, generate_series(1, 20)
        WHERE lead_ext_id = 'called'
        """);

    private async Task PrepareAsync()
    {
        await database.ExecuteAsync(
            """
            INSERT INTO sales_reps (email, name, max_active_leads) SELECT 'r' || j || '@sales.example', 'r' || j, 40 FROM generate_series(1, 10) AS j;
            """);
        await _rig.AddDealsAsync("d", 450);
    }

    private async Task InvariantAsync()
    {
        await ConsistentAsync();
        Assert.Equal(50, (await _rig.LoadsAsync())["nobody"]);
        Assert.Equal(400, await database.ScalarAsync<long>("SELECT count(*) FROM sales_followup_tasks"));
    }

    /// <summary>No rep beyond capacity; whoever has a lead has exactly one decision that gave it, and its task.</summary>
    private async Task ConsistentAsync()
    {
        Assert.All(await _rig.LoadsAsync(), load => Assert.True(load.Key == "nobody" || load.Value <= 40, $"{load}"));
        Assert.Empty(await database.QueryAsync(
            """
            SELECT p.lead_ext_id
            FROM sales_pipeline p
            JOIN leads l ON l.ext_id = p.lead_ext_id
            WHERE (SELECT count(*) FROM routing_decisions d WHERE d.lead_id = l.lead_id AND d.outcome = 'assigned') <> (p.assigned_to IS NOT NULL)::int
              OR (SELECT count(*) FROM sales_followup_tasks t WHERE t.pipeline_id = p.id AND t.assigned_to = p.assigned_to) <> (p.assigned_to IS NOT NULL)::int
            """,
            row => row.GetString(0)));
    }

    private Task WaitsAsync(int runs) => Eventually.HoldsAsync($"{runs} runs wait for a lock", async () => await database.ScalarAsync<long>(
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = 'sales-tasks routing assign'
        """) == runs);

    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "The test's own text.")]
    private async Task OtherAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _other);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
