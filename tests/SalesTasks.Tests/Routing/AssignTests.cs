using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Routing;

/// <summary>routing assign against a real database: who gets what, and what is written about it.</summary>
public sealed class AssignTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly RoutingRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.ClearAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Assign_NothingToDo_SaysSo()
    {
        var answer = await _rig.AssignAsync();

        Assert.Equal("nothing_to_do", answer.Json.GetProperty("status").GetString());
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM routing_runs"));
    }

    [Fact]
    public async Task Assign_EqualReps_EndWithinOneLeadOfEachOther()
    {
        await AddRepsAsync("ana", "eva", "luis");
        await _rig.AddDealsAsync("d", 50);

        var answer = await _rig.AssignAsync("--only-unassigned");

        Assert.Equal((50, 0, 0), (answer["assigned"], answer["kept"], answer["left"]));
        Assert.Equal([16, 17, 17], (await _rig.LoadsAsync()).Values.Order());
        Assert.Equal(50, await database.ScalarAsync<long>("SELECT count(*) FROM routing_decisions WHERE outcome = 'assigned'"));
        Assert.Equal(50, await database.ScalarAsync<long>("SELECT count(*) FROM sales_pipeline WHERE assigned_at = @t", ("t", RoutingRig.T0)));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT sum(reassignments) FROM sales_pipeline"));
        Assert.Equal([16, 17, 17], await database.QueryAsync("SELECT active_leads FROM sales_reps ORDER BY 1", row => row.GetInt64(0)));
    }

    [Fact]
    public async Task Assign_Again_ChangesNothing()
    {
        await AddRepsAsync("ana", "eva");
        await _rig.AddDealsAsync("d", 9);
        await _rig.AssignAsync();
        var before = await database.FingerprintAsync("task_runs");

        var again = await _rig.AssignAsync();

        Assert.Equal("nothing_to_do", again.Json.GetProperty("status").GetString());
        Assert.Equal(before, await database.FingerprintAsync("task_runs"));
    }

    [Fact]
    public async Task Assign_LeadsThatStillWaitForTheSameReason_AreNotWrittenAgain()
    {
        await _rig.AddRepAsync("ana", "max_active_leads", "0");
        await _rig.AddDealsAsync("d", 3);
        await _rig.AssignAsync();
        var before = await database.FingerprintAsync("task_runs");

        var again = await _rig.AssignAsync();

        Assert.Equal((3, 3), (again["left"], again.Json.GetProperty("details").GetProperty("reasons").GetProperty("left_full").GetInt64()));
        Assert.Equal(before, await database.FingerprintAsync("task_runs"));
        await database.ExecuteAsync("UPDATE sales_reps SET active = false");
        await _rig.AssignAsync();
        Assert.Equal("left no_active_rep", await _rig.DecisionAsync("d2"));
    }

    [Fact]
    public async Task Assign_DryRun_ShowsThePlanAndWritesNothing()
    {
        await AddRepsAsync("ana");
        await _rig.AddDealsAsync("d", 3);
        await _rig.AddStaleDealAsync("old", "gone");
        var before = await database.FingerprintAsync();

        var answer = await _rig.AssignAsync("--dry-run");

        Assert.Equal((3, 1), (answer["assigned"], answer["reassigned"]));
        Assert.Equal(4, answer.Json.GetProperty("details").GetProperty("plan").GetProperty("ana@sales.example").GetInt32());
        Assert.Contains("Plan: assigned 3, reassigned 1", answer.Errors, StringComparison.Ordinal);
        Assert.Equal(before, await database.FingerprintAsync());
    }

    [Fact]
    public async Task Assign_LeadsNobodyMayHave_AreLeftWithTheirReason()
    {
        await _rig.AddRepAsync("gone", "active", "false");
        await _rig.AddDealAsync("none");
        await _rig.AssignAsync();
        Assert.Equal("left no_active_rep", await _rig.DecisionAsync("none"));

        await _rig.AddRepAsync("away");
        await database.ExecuteAsync("INSERT INTO sales_rep_absences (rep_email, starts_at) VALUES ('away@sales.example', @t)", ("t", RoutingRig.T0));
        await _rig.AssignAsync();
        Assert.Equal("left all_absent", await _rig.DecisionAsync("none"));

        await _rig.AddRepAsync("spanish", "languages", "'{es-MX}'");
        await _rig.AddRepAsync("english", "languages, regions, max_active_leads", "'{en}', '{UK}', 1");
        await _rig.AddDealAsync("french", ("language", "'fr'"));
        await _rig.AddDealAsync("american", ("language, country", "'EN_us', 'US'"));
        await _rig.AddDealAsync("first", ("language, region", "'en', 'uk'"), ("priority, estimated_value", "'high', 5000"));
        await _rig.AddDealAsync("second", ("language, region", "'en', 'uk'"), ("priority, estimated_value", "'high', 400"));
        await _rig.AddDealAsync("mexican", ("language", "'ES'"));
        var answer = await _rig.AssignAsync();

        Assert.Equal((3, 3), (answer["assigned"], answer["left"]));
        Assert.Equal("left language", await _rig.DecisionAsync("french"));
        Assert.Equal("left region", await _rig.DecisionAsync("american"));
        Assert.Equal("left outbid", await _rig.DecisionAsync("second"));
        Assert.Equal(("english", "spanish", "spanish"), (await _rig.OwnerAsync("first"), await _rig.OwnerAsync("mexican"), await _rig.OwnerAsync("none")));

        await _rig.AssignAsync();
        Assert.Equal("left full", await _rig.DecisionAsync("second"));
        Assert.Equal(
            0, await database.ScalarAsync<long>("SELECT count(*) FROM sales_pipeline p WHERE assigned_to IS NULL AND NOT EXISTS (SELECT FROM v_routing_decisions d WHERE d.lead_ext_id = p.lead_ext_id)"));
    }

    [Fact]
    public async Task Assign_CapacityOfTheRun_IsForRepsWithoutTheirOwn()
    {
        await _rig.AddRepAsync("own", "max_active_leads", "4");
        await _rig.AddRepAsync("none", "max_active_leads", "NULL");
        await _rig.AddDealsAsync("d", 20);

        await _rig.AssignAsync("--max-active-leads-per-rep", "6");

        Assert.Equal([("nobody", 10), ("none", 6), ("own", 4)], (await _rig.LoadsAsync()).Select(l => (l.Key, l.Value)).Order());
        Assert.NotNull(await database.ScalarAsync<string>("SELECT auto_assign_sales_rep('d1')"));
    }

    [Fact]
    public async Task Assign_StaleLeads_GoToABetterRepUnlessTheyWereContacted()
    {
        await AddRepsAsync("old", "star");
        await HistoryAsync("star", won: 40, lost: 10);
        await HistoryAsync("old", won: 5, lost: 45);
        await _rig.AddStaleDealAsync("silent", "old");
        await _rig.AddStaleDealAsync("called", "old", "last_contact_at", $"'{RoutingRig.T0.AddDays(-6.9):O}'");
        await _rig.AddStaleDealAsync("task", "old");
        await database.ExecuteAsync(
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, completed_at, assigned_to)
            SELECT id, lead_ext_id, 'call', 'Call', 'completed', sales_now() - interval '2 days', 'old@sales.example' FROM sales_pipeline WHERE lead_ext_id = 'task'
            """);
        await _rig.AddStaleDealAsync("fresh", "old");
        await database.ExecuteAsync("UPDATE sales_pipeline SET assigned_at = sales_now() - interval '6 days' WHERE lead_ext_id = 'fresh'");

        Assert.Equal("nothing_to_do", (await _rig.AssignAsync("--only-unassigned")).Json.GetProperty("status").GetString());
        var answer = await _rig.AssignAsync();

        Assert.Equal((1, 0), (answer["reassigned"], answer["kept"]));
        Assert.Equal(("star", 1, RoutingRig.T0.UtcDateTime), Assert.Single(await database.QueryAsync(
            "SELECT split_part(assigned_to, '@', 1), reassignments, assigned_at FROM sales_pipeline WHERE lead_ext_id = 'silent'",
            row => (row.GetString(0), row.GetInt32(1), row.GetDateTime(2)))));
        Assert.All(["called", "task", "fresh"], lead => Assert.Equal("old", _rig.OwnerAsync(lead).Result));
        Assert.Equal("reassigned best", await _rig.DecisionAsync("silent"));
    }

    [Fact]
    public async Task Assign_LeadsOfADeactivatedRep_GoToOthersAtOnce()
    {
        await AddRepsAsync("ana");
        await _rig.AddRepAsync("gone", "active", "false");
        await _rig.AddDealAsync("fresh", deal: ("assigned_to, last_contact_at", "'gone@sales.example', sales_now() - interval '1 hour'"));
        await _rig.AddDealAsync("stranger", deal: ("assigned_to, last_contact_at", "'Maria', sales_now() - interval '1 hour'"));

        Assert.Equal(1, (await _rig.AssignAsync())["reassigned"]);

        Assert.Equal(("ana", "Maria"), (await _rig.OwnerAsync("fresh"), await _rig.OwnerAsync("stranger")));
    }

    [Fact]
    public async Task Assign_OverHalfAYear_NeverPlaysPingPong()
    {
        // Nobody ever contacts anything, and it is always somebody else who should have everything.
        string[] names = ["ana", "eva", "luis"];
        await AddRepsAsync(names);
        await _rig.AddDealsAsync("d", 12);
        var random = new Random(5);
        var moves = new Dictionary<string, List<DateTimeOffset>>(StringComparer.Ordinal);
        for (var day = 0; day < 180; day += 3)
        {
            var now = RoutingRig.T0.AddDays(day);
            await database.ExecuteAsync("UPDATE sales_reps SET weight = 0.1; UPDATE sales_reps SET weight = 10 WHERE name = @name", ("name", names[random.Next(3)]));
            await _rig.AssignAsync("--as-of", now.ToString("O"), "--min-active-leads-per-rep", $"{random.Next(12)}");
            foreach (var lead in await database.QueryAsync("SELECT lead_ext_id FROM sales_pipeline WHERE assigned_at = @now", row => row.GetString(0), ("now", now)))
            {
                (moves.TryGetValue(lead, out var list) ? list : moves[lead] = []).Add(now);
            }
        }

        Assert.Equal(12, moves.Count);
        Assert.Contains(moves.Values, m => m.Count > 2);
        Assert.All(moves.Values, m =>
        {
            Assert.InRange(m.Count, 1, 4);
            Assert.All(m.Zip(m.Skip(1)).Skip(1), pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromDays(14), $"{pair}"));
            Assert.All(m.Zip(m.Skip(1)), pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromDays(7), $"{pair}"));
        });
        Assert.True(await database.ScalarAsync<long>("SELECT count(*) FROM routing_decisions WHERE reason IN ('hop_limit', 'resting')") > 0);
        Assert.Equal(3, await database.ScalarAsync<int>("SELECT max(reassignments) FROM sales_pipeline"));
    }

    [Fact]
    public async Task Assign_OpenTasks_GoWithTheLeadAndOthersAreMade()
    {
        await AddRepsAsync("ana");
        await _rig.AddRepAsync("luis", "active, languages", "false, '{es}'");
        await _rig.AddStaleDealAsync("with-task", "luis");
        await _rig.AddStaleDealAsync("without", "luis");
        await database.ExecuteAsync(
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, assigned_to)
            SELECT id, lead_ext_id, 'call', t.title, t.status, t.rep
            FROM sales_pipeline, (VALUES ('mine', 'pending', 'luis@sales.example'), ('done', 'completed', 'luis@sales.example'), ('other', 'pending', 'boss@sales.example')) AS t (title, status, rep)
            WHERE lead_ext_id = 'with-task'
            """);

        await _rig.AssignAsync();

        Assert.Equal(
            ["Lead taken over: make contact ana@sales.example pending", "done luis@sales.example completed", "mine ana@sales.example pending", "other boss@sales.example pending"],
            await database.QueryAsync("SELECT task_title || ' ' || assigned_to || ' ' || status FROM sales_followup_tasks ORDER BY 1", row => row.GetString(0)));
        Assert.Equal("Before: luis@sales.example", await database.ScalarAsync<string>("SELECT task_description FROM sales_followup_tasks WHERE metadata ->> 'origin' = 'routing'"));
    }

    [Fact]
    public async Task Assign_WithConnections_TellsRepsAndTeamOnce()
    {
        await _rig.AddRepAsync("ana", "languages", "'{es, en}'");
        await _rig.AddDealsAsync("d", 23);
        await _rig.AssignAsync("--max-leads-per-run", "1");
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages"));

        _rig.Environment["SALES_EMAIL_CONN_ID"] = "mail";
        _rig.Environment["SALES_SLACK_CONN_ID"] = "slack";
        await _rig.AssignAsync();
        await _rig.AssignAsync();

        var messages = await database.QueryAsync(
            "SELECT channel, purpose, recipient, payload ->> 'subject', payload ->> 'text' FROM outbox_messages ORDER BY channel",
            row => (row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3), row.GetString(4)));
        Assert.Equal(2, messages.Count);
        Assert.Equal(("email", "notice", "ana@sales.example", "22 leads nuevos para ti"), (messages[0].Item1, messages[0].Item2, messages[0].Item3, messages[0].Item4));
        Assert.EndsWith("... y 2 más", messages[0].Item5, StringComparison.Ordinal);
        Assert.Equal(("slack", "notice", "Routing: 22 leads assigned, 0 reassigned, 0 left"), (messages[1].Item1, messages[1].Item2, messages[1].Item5));
        Assert.Contains("ana +22", await database.ScalarAsync<string>("SELECT payload ->> 'blocks' FROM outbox_messages WHERE channel = 'slack'"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Assign_FewerLeadsThanThereAre_TakesThemByPriorityAndSaysHowManyWait()
    {
        await AddRepsAsync("ana");
        foreach (var (name, priority) in new[] { ("low", "low"), ("high", "high"), ("urgent", "urgent") })
        {
            await _rig.AddDealAsync(name, deal: ("priority", $"'{priority}'"));
        }

        var answer = await _rig.AssignAsync("--max-leads-per-run", "2");

        Assert.Equal((2, 1), (answer["assigned"], answer.Json.GetProperty("details").GetProperty("left_for_next_run").GetInt64()));
        Assert.Null(await _rig.OwnerAsync("low"));
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT left_for_later FROM routing_runs"));
    }

    [Fact]
    public async Task Assign_OldRuns_AreThinnedToWhatTheyChanged()
    {
        await _rig.AddRepAsync("ana", "max_active_leads", "1");
        await _rig.AddDealsAsync("d", 3);
        await _rig.AssignAsync();
        await _rig.AddDealAsync("later");
        await database.ExecuteAsync("UPDATE routing_runs SET planned_at = @t", ("t", RoutingRig.T0.AddDays(-7.1)));

        await _rig.AssignAsync();

        Assert.Equal([(1, "assigned 1"), (2, "left 3")], await database.QueryAsync(
            "SELECT run_id, outcome || ' ' || count(*) FROM routing_decisions GROUP BY run_id, outcome ORDER BY 1, 2", row => (row.GetInt64(0), row.GetString(1))));
        Assert.Equal(ExitCode.Usage, (await _rig.RunAsync("routing", "replay", "1")).ExitCode);
    }

    [Fact]
    public async Task Owner_ChangedByHand_IsDatedAndCounted()
    {
        await _rig.AddDealAsync("a");
        await database.ExecuteAsync("UPDATE sales_pipeline SET assigned_to = 'ana@sales.example'");
        Assert.Equal((RoutingRig.T0.UtcDateTime, 0), await StateAsync());

        await database.WorkAtAsync(RoutingRig.T0.AddDays(1));
        await database.ExecuteAsync("UPDATE sales_pipeline SET assigned_to = 'Ana@Sales.Example', notes = 'the same'");
        Assert.Equal((RoutingRig.T0.UtcDateTime, 0), await StateAsync());
        await database.ExecuteAsync("UPDATE sales_pipeline SET assigned_to = 'Luis'");
        Assert.Equal((RoutingRig.T0.AddDays(1).UtcDateTime, 1), await StateAsync());
        await database.ExecuteAsync("UPDATE sales_pipeline SET assigned_to = NULL");
        Assert.Equal((null, 1), await StateAsync());

        async Task<(DateTime?, int)> StateAsync() => (await database.QueryAsync(
            "SELECT assigned_at, reassignments FROM sales_pipeline", row => (row.IsDBNull(0) ? (DateTime?)null : row.GetDateTime(0), row.GetInt32(1))))[0];
    }

    [Fact]
    public async Task Lead_Deleted_TakesItsDecisionsAlong()
    {
        await AddRepsAsync("ana");
        await _rig.AddDealsAsync("d", 2);
        await _rig.AssignAsync();

        await database.ExecuteAsync("DELETE FROM leads WHERE ext_id = 'd1'");
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM routing_decisions"));
        await database.ExecuteAsync("DELETE FROM routing_runs");
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM routing_decisions"));
    }

    [Fact]
    public async Task Assign_LimitedRuns_GetPastLeadsThatNobodyCanTake()
    {
        await _rig.AddRepAsync("ana", "languages", "'{en}'");
        for (var i = 0; i < 3; i++)
        {
            await _rig.AddDealAsync($"unplaceable{i}", lead: ("language", "'zz'"), deal: ("priority", "'urgent'"));
            await _rig.AddDealAsync($"plain{i}");
        }

        Assert.Equal((0, 2), await LimitedAsync("a"));
        Assert.Equal((1, 1), await LimitedAsync("b"));
        Assert.Equal((2, 0), await LimitedAsync("c"));

        async Task<(long Assigned, long Left)> LimitedAsync(string run)
        {
            _rig.Environment["SALES_RUN_ID"] = run;
            var answer = await _rig.AssignAsync("--max-leads-per-run", "2");
            return (answer["assigned"], answer["left"]);
        }
    }

    [Fact]
    public async Task Assign_GeneratedDatabases_BreaksNoRule()
    {
        var random = new Random(77);
        long assigned = 0, left = 0;
        for (var round = 0; round < 60; round++)
        {
            await _rig.ClearAsync();
            await database.ExecuteAsync($"SELECT setseed({random.NextDouble().ToString(System.Globalization.CultureInfo.InvariantCulture)});" +
                """
                INSERT INTO sales_reps (email, name, active, max_active_leads, languages, regions, weight)
                SELECT 'r' || j || '@sales.example', 'r' || j, random() < 0.8, CASE WHEN random() < 0.7 THEN floor(6 * random())::int END,
                  (ARRAY['{}', '{en}', '{es, en}', '{pt-BR}']::text[])[1 + floor(4 * random())::int]::text[],
                  (ARRAY['{}', '{North}', '{SOUTH, mx}']::text[])[1 + floor(3 * random())::int]::text[], 0.5 + random()
                FROM generate_series(1, 8) AS j;
                INSERT INTO sales_rep_absences (rep_email, starts_at, ends_at)
                SELECT email, sales_now() + (random() - 0.7) * interval '4 days', sales_now() + (random() + 0.4) * interval '4 days' FROM sales_reps WHERE random() < 0.4;
                INSERT INTO leads (ext_id, source, language, region, country)
                SELECT 'l' || i, 'x', (ARRAY[NULL, 'en-US', 'ES', 'pt', 'fr'])[1 + floor(5 * random())::int], (ARRAY[NULL, 'north', 'south'])[1 + floor(3 * random())::int],
                  (ARRAY[NULL, 'MX'])[1 + floor(2 * random())::int]
                FROM generate_series(1, 30) AS i;
                INSERT INTO sales_pipeline (lead_ext_id, email, assigned_to, qualified_at, last_contact_at, estimated_value, stage)
                SELECT ext_id, 'a@lead.example', CASE WHEN random() < 0.4 THEN 'r' || 1 + floor(9 * random())::int || '@sales.example' END, sales_now() - random() * interval '20 days',
                  CASE WHEN random() < 0.5 THEN sales_now() - random() * interval '14 days' END, CASE WHEN random() < 0.8 THEN floor(1000 * random()) END,
                  (CASE WHEN random() < 0.1 THEN 'closed_won' ELSE 'contacted' END)::pipeline_stage
                FROM leads;
                CREATE TEMP TABLE IF NOT EXISTS nothing ();
                DROP TABLE IF EXISTS before; CREATE TABLE before AS SELECT id, assigned_to, last_contact_at FROM sales_pipeline
                """);

            var answer = await _rig.AssignAsync("--max-active-leads-per-rep", "3");

            assigned += answer["assigned"] + answer["reassigned"];
            left += answer["left"];
            Assert.Empty(await database.QueryAsync(
                """
                SELECT format('%s to %s', p.lead_ext_id, p.assigned_to)
                FROM sales_pipeline p
                JOIN before b USING (id)
                JOIN leads l ON l.ext_id = p.lead_ext_id
                LEFT JOIN sales_reps r ON r.email = p.assigned_to
                WHERE p.assigned_to IS DISTINCT FROM b.assigned_to AND (
                  p.stage = 'closed_won' OR r.email IS NULL OR NOT r.active
                  OR EXISTS (SELECT FROM sales_rep_absences a WHERE a.rep_email = r.email AND sales_now() >= a.starts_at AND sales_now() < a.ends_at)
                  OR (l.language IS NOT NULL AND r.languages <> '{}' AND NOT left(lower(l.language), 2) IN (SELECT left(x, 2) FROM unnest(r.languages) AS x))
                  OR ((l.region IS NOT NULL OR l.country IS NOT NULL) AND r.regions <> '{}'
                    AND NOT EXISTS (SELECT FROM unnest(r.regions) AS x WHERE lower(x) = lower(l.region) OR lower(x) = lower(l.country)))
                  OR (b.assigned_to IN (SELECT email FROM sales_reps WHERE active) AND b.last_contact_at > sales_now() - interval '7 days')
                  OR (SELECT count(*) FROM sales_pipeline o WHERE o.assigned_to = r.email AND o.stage < 'closed_won') > coalesce(r.max_active_leads, 3))
                UNION ALL
                SELECT format('%s is left without a reason', p.lead_ext_id)
                FROM sales_pipeline p
                WHERE p.assigned_to IS NULL AND p.stage < 'closed_won'
                  AND NOT EXISTS (SELECT FROM v_routing_decisions d WHERE d.lead_ext_id = p.lead_ext_id AND d.outcome = 'left')
                """,
                row => row.GetString(0)));
        }

        Assert.True(assigned > 300 && left > 300, $"{assigned} {left}");
    }

    private async Task AddRepsAsync(params string[] names)
    {
        foreach (var name in names)
        {
            await _rig.AddRepAsync(name);
        }
    }

    /// <summary>Closed deals of a rep.</summary>
    private Task<int> HistoryAsync(string rep, int won, int lost) => database.ExecuteAsync(
        $"""
        INSERT INTO leads (ext_id, source) SELECT '{rep}-' || i, 'x' FROM generate_series(1, {won + lost}) AS i;
        INSERT INTO sales_pipeline (lead_ext_id, email, assigned_to, stage, closed_at)
        SELECT '{rep}-' || i, 'a@lead.example', '{rep}@sales.example', (CASE WHEN i <= {won} THEN 'closed_won' ELSE 'closed_lost' END)::pipeline_stage, sales_now() - interval '9 days'
        FROM generate_series(1, {won + lost}) AS i
        """);
}
