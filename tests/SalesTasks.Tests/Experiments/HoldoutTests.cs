using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Experiments;

/// <summary>What being held out means: no automatic task, no campaign, everything else as ever.</summary>
public sealed class HoldoutTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = ExperimentRig.T0;

    private readonly ExperimentRig _rig = new(database);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _rig.EmptyAsync();
        await _rig.StartAsync();
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Tasks_OfHeldOutLeads_AreNotMadeBeforeTheEnd()
    {
        await _rig.AddOneOfEachAsync();

        var preview = await _rig.JobAsync("followup create-tasks", T0, "--dry-run");
        var counts = await _rig.JobAsync("followup create-tasks", T0);

        Assert.Equal((1, 1), (preview["created"], preview["held_out"]));
        Assert.Equal((1, 1), (counts["created"], counts["held_out"]));
        Assert.Equal(["t1"], await TasksAsync());

        // The second run has nothing to look at; a change of stage is looked at again, and held out again.
        Assert.Equal((0, 0), CreatedAndHeldOut(await _rig.JobAsync("followup create-tasks", T0)));
        await database.ExecuteAsync("UPDATE sales_pipeline SET stage = 'negotiating' WHERE lead_ext_id = 'h1'");
        Assert.Equal((0, 1), CreatedAndHeldOut(await _rig.JobAsync("followup create-tasks", T0)));

        var stopped = await _rig.DoAsync(T0.AddDays(1), "experiment", "stop", "--json");
        Assert.Equal(1, stopped.Json.GetProperty("released").GetInt32());
        Assert.Equal((1, 0), CreatedAndHeldOut(await _rig.JobAsync("followup create-tasks", T0.AddDays(1))));
        Assert.Equal(["h1", "t1"], await TasksAsync());
    }

    [Fact]
    public async Task Tasks_WithALimit_GoToTreatedLeadsOnly()
    {
        await _rig.AddLeadsAsync("a", 6);
        await database.ExecuteAsync("UPDATE experiment_assignments SET arm = CASE WHEN lead_ext_id IN ('a5', 'a6') THEN 'holdout' ELSE 'treated' END");

        Assert.Equal((3, 2), CreatedAndHeldOut(await _rig.JobAsync("followup create-tasks", T0, "--max-leads-per-run", "3")));
        Assert.Equal((1, 0), CreatedAndHeldOut(await _rig.JobAsync("followup create-tasks", T0, "--max-leads-per-run", "3")));
    }

    [Fact]
    public async Task Work_OfPeople_GoesOn()
    {
        await _rig.AddOneOfEachAsync();
        await database.ExecuteAsync(
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, completed_at)
            SELECT id, lead_ext_id, 'call', 'Mine', 'completed', @at FROM sales_pipeline WHERE lead_ext_id = 'h1'
            """,
            ("at", T0));

        Assert.Equal(1, (await _rig.JobAsync("pipeline advance", T0.AddHours(1)))["to_contacted"]);
    }

    [Fact]
    public async Task Campaigns_DoNotTakeHeldOutLeads()
    {
        await _rig.AddOneOfEachAsync();
        // Cannot be reached anyway: not counted as held out.
        await _rig.AddLeadsAsync("x", 1);
        await database.ExecuteAsync("UPDATE experiment_assignments SET arm = 'holdout' WHERE lead_ext_id = 'x1'; UPDATE leads SET consent_email = false WHERE ext_id = 'x1'");
        await database.ExecuteAsync(
            """
            INSERT INTO sales_campaigns (name, campaign_type, trigger_criteria, steps_config, max_leads_per_run)
            VALUES ('All', 'email_sequence', '{}', '[{"type": "email", "subject": "Hello", "body": "A word."}]', 0)
            """);

        var preview = await _rig.JobAsync("campaigns enroll", T0, "--dry-run");
        var counts = await _rig.JobAsync("campaigns enroll", T0);

        Assert.Equal((1, 1, 1), (preview["enrolled"], preview["held_out"], preview["consent_refused"]));
        Assert.Equal((1, 1, 1), (counts["enrolled"], counts["held_out"], counts["consent_refused"]));
        Assert.Equal((0, 1), (await EnrolAsync(T0)));

        await _rig.DoAsync(T0.AddDays(1), "experiment", "stop");
        Assert.Equal((1, 0), (await EnrolAsync(T0.AddDays(1))));
    }

    [Fact]
    public async Task Routing_OfHeldOutLeads_GivesThemToARepWithoutATask()
    {
        await database.ExecuteAsync("INSERT INTO sales_reps (email, name) VALUES ('eva@sales.example', 'Eva')");
        await _rig.AddOneOfEachAsync();

        Assert.Equal(2, (await _rig.JobAsync("routing assign", T0))["assigned"]);

        Assert.Equal(["t1"], await TasksAsync());
    }

    [Fact]
    public async Task Explain_OfALead_SaysItsGroupAndWhy()
    {
        await _rig.AddOneOfEachAsync();
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source) VALUES ('none', 'x')");

        var held = (await _rig.DoAsync(T0, "explain", "h1", "--json")).Json.GetProperty("experiment");
        Assert.True(held.GetProperty("held_out").GetBoolean());
        Assert.Equal(100, held.GetProperty("holdout_below").GetInt32());
        Assert.Contains("Held out by experiment \"2026-03-18\" since 2026-03-18 10:00 UTC", (await _rig.DoAsync(T0, "explain", "h1")).Output, StringComparison.Ordinal);
        Assert.Contains("Apartado por el experimento", (await _rig.DoAsync(T0, "explain", "h1", "--lang", "es")).Output, StringComparison.Ordinal);
        Assert.Contains("In the treated group", (await _rig.DoAsync(T0, "explain", "t1")).Output, StringComparison.Ordinal);
        Assert.False((await _rig.DoAsync(T0, "explain", "none", "--json")).Json.TryGetProperty("experiment", out _));

        await _rig.DoAsync(T0.AddDays(1), "experiment", "stop");
        Assert.Contains("Was held out", (await _rig.DoAsync(T0, "explain", "h1")).Output, StringComparison.Ordinal);
    }

    /// <summary>A lead enters while the experiment is being stopped: the end waits for it and lets it go as well.</summary>
    [Fact]
    public async Task Stop_WhileALeadEnters_LetsItGoToo()
    {
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source) VALUES ('late', 'x')");
        await using var other = await database.OpenConnectionAsync();
        await using var entering = await other.BeginTransactionAsync(Token);
        await using (var command = other.CreateCommand())
        {
            command.CommandText =
                """
                INSERT INTO sales_pipeline (lead_ext_id, email) VALUES ('late', 'late@acme.example');
                UPDATE experiment_assignments SET arm = 'holdout'
                """;
            await command.ExecuteNonQueryAsync(Token);
        }

        var stop = _rig.RunAsync(T0.AddDays(1), "experiment", "stop", "--json");
        await Eventually.HoldsAsync("experiment stop waits for the lead", async () => await database.ScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'sales-tasks' AND datname = current_database() AND wait_event_type = 'Lock')"));
        await entering.CommitAsync(Token);

        Assert.Equal(1, (await stop).Json.GetProperty("released").GetInt32());
    }

    private static (long Created, long HeldOut) CreatedAndHeldOut(Scoring.Counts counts) => (counts["created"], counts["held_out"]);

    private async Task<(long Enrolled, long HeldOut)> EnrolAsync(DateTimeOffset at)
    {
        var counts = await _rig.JobAsync("campaigns enroll", at);
        return (counts["enrolled"], counts["held_out"]);
    }

    private Task<List<string>> TasksAsync() => database.QueryAsync(
        "SELECT lead_ext_id FROM sales_followup_tasks WHERE status = 'pending' ORDER BY 1", row => row.GetString(0));
}
