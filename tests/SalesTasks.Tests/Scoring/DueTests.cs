using System.Globalization;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Scoring;

/// <summary>Cost follows change: which changes make a lead due, and that nothing else is looked at or written.</summary>
public sealed class DueTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly DateTimeOffset T0 = ScoringRig.T0;

    private static int s_pairs;

    private readonly ScoringRig _rig = new(database);

    public static TheoryData<string> Inputs =>
    [
        "source = 'organic'", "first_name = NULL", "last_name = 'Paz'", "email = 'ana@acme.com'", "phone = '600123456'", "utm_source = 'x'",
        "utm_campaign = 'x'", "created_at = created_at + interval '90 days'", "company_domain = 'acme.com'", "website_visited = true",
        "demo_requested = true", "pricing_page_viewed = true", "country = 'ES', email = 'ana@acme.com'",
    ];

    public static TheoryData<string> OtherColumns =>
    [
        "score = 99", "priority = 'urgent'", "updated_at = now()", "country = 'ES'", "region = 'x'", "language = 'es'", "time_zone = 'Europe/Madrid'",
        "industry = 'x'", "product_interest = 'x'", "company_name = 'x'", "consent_email = true", "consent_phone = false", "estimated_value = 5",
        "attributes = '{}'", "ext_id = ext_id || '-renamed'", "email = email, source = source, created_at = created_at",
    ];

    [Theory]
    [MemberData(nameof(Inputs))]
    public async Task Update_OfAnInput_MakesThatLeadAloneDue(string change) => Assert.Equal((1, 0), await DueAfterAsync(change));

    [Theory]
    [MemberData(nameof(OtherColumns))]
    public async Task Update_OfAnythingElse_MakesNothingDue(string change) => Assert.Equal((0, 0), await DueAfterAsync(change));

    [Fact]
    public async Task Score_AfterChanges_LooksAtTheChangedLeadsOnly()
    {
        var (lead, other) = await TwoScoredAsync();

        await database.ExecuteAsync("UPDATE leads SET demo_requested = true, score = 1 WHERE ext_id = @id", ("id", lead));
        await database.ExecuteAsync("UPDATE leads SET country = 'ES' WHERE ext_id = @id", ("id", other));

        Assert.Equal((1, 1), (await _rig.ScoreAsync()).Work);
        await _rig.AllAreRightAsync(T0);
        Assert.Equal((0, 0), (await _rig.ScoreAsync()).Work);
    }

    [Fact]
    public async Task Upsert_ThatChangesAnInput_MakesTheLeadDue()
    {
        var (lead, _) = await TwoScoredAsync();
        const string upsert =
            "INSERT INTO leads (ext_id, source, email) VALUES (@id, 'event', @email) ON CONFLICT (ext_id) DO UPDATE SET email = excluded.email";

        await database.ExecuteAsync(upsert, ("id", lead), ("email", "ana@acme.com"));
        Assert.Equal((1, 1), (await _rig.ScoreAsync()).Work);
        await database.ExecuteAsync(upsert, ("id", lead), ("email", "ana@acme.com"));
        Assert.Equal((0, 0), (await _rig.ScoreAsync()).Work);
        await database.ExecuteAsync(upsert, ("id", lead + "-new"), ("email", "ana@acme.com"));
        Assert.Equal((1, 1), (await _rig.ScoreAsync()).Work);
    }

    [Fact]
    public async Task Engagement_InsertedFlaggedRetypedMovedAndDeleted_CountsEachTime()
    {
        var (a, b) = await TwoScoredAsync();
        async Task<(int?, int?, (long, long))> AfterAsync(string sql)
        {
            await database.ExecuteAsync(sql, ("a", a), ("b", b));
            var work = (await _rig.ScoreAsync()).Work;
            await _rig.AllAreRightAsync(T0);
            return (await _rig.ScoreOfAsync(a), await _rig.ScoreOfAsync(b), work);
        }

        Assert.Equal((41, 26, (1, 1)), await AfterAsync("INSERT INTO lead_engagement_events (lead_ext_id, event_type, source_event_id) VALUES (@a, 'reply', @a || '1')"));
        Assert.Equal((51, 26, (1, 1)), await AfterAsync("INSERT INTO lead_engagement_events (lead_ext_id, event_type, source_event_id) VALUES (@a, 'reply', @a || '2')"));
        // A bot's event changes nothing; it is looked at, because the history shows bots.
        Assert.Equal((51, 26, (1, 0)), await AfterAsync("INSERT INTO lead_engagement_events (lead_ext_id, event_type, source_event_id, is_bot) VALUES (@a, 'click', @a || '3', true)"));
        Assert.Equal((59, 26, (1, 1)), await AfterAsync("UPDATE lead_engagement_events SET is_bot = false WHERE source_event_id = @a || '3'"));
        Assert.Equal((51, 26, (1, 1)), await AfterAsync("UPDATE lead_engagement_events SET is_bot = true WHERE source_event_id = @a || '3'"));
        Assert.Equal((44, 26, (1, 1)), await AfterAsync("UPDATE lead_engagement_events SET event_type = 'visit' WHERE source_event_id = @a || '1'"));
        Assert.Equal((41, 29, (2, 2)), await AfterAsync("UPDATE lead_engagement_events SET lead_ext_id = @b WHERE source_event_id = @a || '1'"));
        Assert.Equal((41, 29, (0, 0)), await AfterAsync("UPDATE lead_engagement_events SET metadata = '{}', bot_reason = 'x', occurred_at = occurred_at - interval '1 day'"));
        Assert.Equal((41, 26, (1, 1)), await AfterAsync("DELETE FROM lead_engagement_events WHERE source_event_id = @a || '1'"));
        // The same delivery again is refused by the unique source event, and counts nothing.
        Assert.Equal((41, 26, (0, 0)), await AfterAsync("INSERT INTO lead_engagement_events (lead_ext_id, event_type, source_event_id) VALUES (@a, 'reply', @a || '2') ON CONFLICT DO NOTHING"));
    }

    [Fact]
    public async Task Age_CountsWholeElapsedDaysAndBoundariesMakeDue()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        var rig = new ScoringRig(own);
        await rig.AddLeadAsync("young", "created_at", $"'{T0:O}'");
        async Task<(long, long, int?)> AtAsync(TimeSpan age)
        {
            var work = (await rig.ScoreAsync(T0 + age)).Work;
            await rig.AllAreRightAsync(T0 + age);
            return (work.Evaluated, work.Changed, await rig.ScoreOfAsync("young"));
        }

        var tick = TimeSpan.FromMicroseconds(1);
        Assert.Equal((1, 1, 36), await AtAsync(TimeSpan.Zero));
        Assert.Equal((0, 0, 36), await AtAsync(TimeSpan.FromDays(8) - tick));
        Assert.Equal((1, 1, 31), await AtAsync(TimeSpan.FromDays(8)));
        Assert.Equal((0, 0, 31), await AtAsync(TimeSpan.FromDays(31) - tick));
        Assert.Equal((1, 1, 26), await AtAsync(TimeSpan.FromDays(31)));
        Assert.Equal((0, 0, 26), await AtAsync(TimeSpan.FromDays(400)));
        Assert.Equal(0, await own.ScalarAsync<long>("SELECT count(*) FROM lead_score_due"));
    }

    [Fact]
    public async Task Age_OfALeadCreatedInTheFuture_FollowsWhenItsTimeComes()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        var rig = new ScoringRig(own);
        await rig.AddLeadAsync("future", "created_at", $"'{T0.AddDays(10):O}'");
        await rig.AddLeadAsync("never", "created_at", "'infinity'");
        await rig.AddLeadAsync("far", "created_at", "'294276-12-31'");
        await rig.AddLeadAsync("always", "created_at", "'-infinity'");
        await rig.AddLeadAsync("unknown", "created_at", "NULL");

        Assert.Equal((5, 5), (await rig.ScoreAsync()).Work);
        Assert.Equal([26, 36, 36, 36, 26], await own.QueryAsync("SELECT score FROM leads ORDER BY ext_id", row => row.GetInt32(0)));
        Assert.Equal((1, 1), (await rig.ScoreAsync(T0.AddDays(18))).Work);
        Assert.Equal((1, 1), (await rig.ScoreAsync(T0.AddDays(41))).Work);
        Assert.Equal(26, await rig.ScoreOfAsync("future"));
    }

    [Fact]
    public async Task Rules_WithOtherDays_MoveTheBoundariesOfEveryLead()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        var rig = new ScoringRig(own);
        await rig.AddLeadAsync("young", "created_at", $"'{T0:O}'");
        await rig.ScoreAsync();
        Assert.Equal(ExitCode.Done, (await rig.RunAsync("scoring", "rules", "edit", "--set", "fresh_days=2", "--set", "recent_days=50")).ExitCode);

        await rig.ScoreAsync();
        Assert.Equal(36, await rig.ScoreOfAsync("young"));
        await rig.ScoreAsync(T0.AddDays(3));
        Assert.Equal(31, await rig.ScoreOfAsync("young"));
        // The old rules' boundary is still on the list; it changes nothing.
        Assert.Equal((1, 0), (await rig.ScoreAsync(T0.AddDays(8))).Work);
        Assert.Equal((0, 0), (await rig.ScoreAsync(T0.AddDays(50.9))).Work);
        Assert.Equal((1, 1), (await rig.ScoreAsync(T0.AddDays(51))).Work);
        Assert.Equal(26, await rig.ScoreOfAsync("young"));
    }

    [Fact]
    public async Task Score_Unchanged_WritesNothing()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        var rig = new ScoringRig(own);
        await rig.AddLeadsAsync("l", 500);
        await rig.ScoreAsync();
        var before = await own.FingerprintAsync("task_runs");
        var versions = await VersionsAsync();

        Assert.Equal((0, 0), (await rig.ScoreAsync(T0.AddMinutes(1))).Work);
        Assert.Equal((500, 0), (await rig.ScoreAsync(T0.AddMinutes(2), "--everything")).Work);
        await own.ExecuteAsync("UPDATE leads SET utm_source = ' ' WHERE ext_id = 'l1'");
        Assert.Equal((1, 0), (await rig.ScoreAsync(T0.AddMinutes(3))).Work);
        await own.ExecuteAsync("UPDATE leads SET utm_source = NULL WHERE ext_id = 'l1'");
        await rig.ScoreAsync(T0.AddMinutes(4));

        Assert.Equal(before, await own.FingerprintAsync("task_runs"));
        Assert.Equal(versions.Where(v => v.ExtId != "l1"), (await VersionsAsync()).Where(v => v.ExtId != "l1"));

        Task<List<(string ExtId, string Version)>> VersionsAsync() => own.QueryAsync(
            "SELECT ext_id, xmin::text || ' ' || ctid::text || ' ' || updated_at FROM leads ORDER BY ext_id", row => (row.GetString(0), row.GetString(1)));
    }

    [Fact]
    public async Task Score_Changed_WritesOneHistoryRowWithTheInstantOfTheRun()
    {
        var (lead, _) = await TwoScoredAsync();
        await database.ExecuteAsync("UPDATE leads SET demo_requested = true WHERE ext_id = @id", ("id", lead));

        await _rig.ScoreAsync(T0.AddMinutes(5));

        var rows = await database.RowsAsync("SELECT * FROM lead_score_history WHERE lead_ext_id = @id ORDER BY calculated_at", ("id", lead));
        Assert.Equal([(26, null, 26), (36, 26, 10)], rows.Select(r => ((int)r["score"]!, (int?)r["previous_score"], (int)r["score_change"]!)));
        Assert.Equal(T0.AddMinutes(5).UtcDateTime, rows[1]["calculated_at"]);
        Assert.Equal("automated_scoring", rows[1]["calculated_by"]);
        Assert.Equal(T0.AddMinutes(5).UtcDateTime, await database.ScalarAsync<DateTime>("SELECT updated_at FROM leads WHERE ext_id = @id", ("id", lead)));
        Assert.Equal("medium", await database.ScalarAsync<string>("SELECT priority::text FROM leads WHERE ext_id = @id", ("id", lead)));
    }

    [Fact]
    public async Task Lead_Deleted_LeavesNoHistorySummaryOrQueue()
    {
        var (lead, kept) = await TwoScoredAsync();
        await database.ExecuteAsync(
            "INSERT INTO lead_engagement_events (lead_ext_id, event_type) VALUES (@id, 'reply'), (@kept, 'reply')", ("id", lead), ("kept", kept));
        await database.ExecuteAsync(
            "INSERT INTO lead_model_scores (lead_id, model_score, model_version) SELECT lead_id, 50, 'm' FROM leads WHERE ext_id IN (@id, @kept)",
            ("id", lead), ("kept", kept));
        var leadId = await database.ScalarAsync<long>("SELECT lead_id FROM leads WHERE ext_id = @id", ("id", lead));
        var keptId = await database.ScalarAsync<long>("SELECT lead_id FROM leads WHERE ext_id = @id", ("id", kept));
        const string rows =
            """
            SELECT (SELECT count(*) FROM lead_scores WHERE lead_id = @id) || ' ' || (SELECT count(*) FROM lead_engagement WHERE lead_id = @id)
              || ' ' || (SELECT count(*) FROM lead_model_scores WHERE lead_id = @id) || ' ' || (SELECT count(*) FROM lead_score_due WHERE lead_id = @id)
            """;
        Assert.Equal("1 1 1 2", await database.ScalarAsync<string>(rows, ("id", leadId)));

        await database.ExecuteAsync("DELETE FROM leads WHERE ext_id = @id", ("id", lead));

        Assert.Equal("0 0 0 0", await database.ScalarAsync<string>(rows, ("id", leadId)));
        Assert.Equal("1 1 1 2", await database.ScalarAsync<string>(rows, ("id", keptId)));
    }

    [Fact]
    public async Task Leads_DeletedByHundreds_TakeTheirHistoryAlongAndKeepThePlannersSettings()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        var rig = new ScoringRig(own);
        await rig.AddLeadsAsync("l", 300);
        await rig.ScoreAsync();
        await using var connection = await own.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "BEGIN; DELETE FROM leads WHERE ext_id <> 'l1'; SHOW enable_nestloop";

        Assert.Equal("on", await command.ExecuteScalarAsync(TestContext.Current.CancellationToken));
        command.CommandText = "COMMIT";
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["l1"], await own.QueryAsync("SELECT lead_ext_id FROM lead_score_history", row => row.GetString(0)));
        Assert.Equal(1, await own.ScalarAsync<long>("SELECT count(*) FROM lead_scores"));
    }

    [Fact]
    public async Task Lead_Renamed_KeepsScoreHistoryAndEngagement()
    {
        var (lead, _) = await TwoScoredAsync();
        await database.ExecuteAsync("INSERT INTO lead_engagement_events (lead_ext_id, event_type) VALUES (@id, 'reply')", ("id", lead));
        await _rig.ScoreAsync();

        await database.ExecuteAsync("UPDATE leads SET ext_id = @id || '-new' WHERE ext_id = @id", ("id", lead));

        Assert.Equal((0, 0), (await _rig.ScoreAsync()).Work);
        Assert.Equal([26, 41], await database.QueryAsync(
            "SELECT score FROM lead_score_history WHERE lead_ext_id = @id ORDER BY id", row => row.GetInt32(0), ("id", lead + "-new")));
        Assert.Equal(1, await database.ScalarAsync<int>("SELECT g.replies FROM lead_engagement g JOIN leads USING (lead_id) WHERE ext_id = @id", ("id", lead + "-new")));
        await database.ExecuteAsync("UPDATE leads SET demo_requested = true WHERE ext_id = @id", ("id", lead + "-new"));
        Assert.Equal((1, 1), (await _rig.ScoreAsync()).Work);
        Assert.Equal(51, await _rig.ScoreOfAsync(lead + "-new"));
    }

    [Fact]
    public async Task Leads_Truncated_StartAnew()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        var rig = new ScoringRig(own);
        await rig.AddLeadsAsync("l", 50);
        await own.ExecuteAsync("INSERT INTO lead_engagement_events (lead_ext_id, event_type) VALUES ('l1', 'reply')");
        await rig.ScoreAsync();

        await own.ExecuteAsync("TRUNCATE leads CASCADE");

        foreach (var table in (string[])["lead_scores", "lead_score_history", "lead_engagement", "lead_engagement_events", "lead_score_due", "scoring_blocks"])
        {
            Assert.Equal((table, 0L), (table, await own.ScalarAsync<long>($"SELECT count(*) FROM {table}")));
        }

        Assert.Equal((0, 0), (await rig.ScoreAsync()).Work);
        await rig.AddLeadsAsync("l", 20);
        Assert.Equal((20, 20), (await rig.ScoreAsync()).Work);
        await rig.AllAreRightAsync(T0);
    }

    [Fact]
    public async Task Settings_Toggled_MakeEverythingDueAgain()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        var rig = new ScoringRig(own);
        await rig.AddLeadsAsync("l", 40);
        await own.ExecuteAsync(
            "INSERT INTO lead_engagement_events (lead_ext_id, event_type) SELECT ext_id, 'reply' FROM leads WHERE lead_id <= 10");
        await own.ExecuteAsync("INSERT INTO lead_model_scores (lead_id, model_score, model_version) SELECT lead_id, 100, 'm' FROM leads WHERE lead_id > 35");

        Assert.Equal((40, 40), (await rig.ScoreAsync()).Work);
        Assert.Equal((40, 10), (await rig.ScoreAsync("--include-engagement-data=false")).Work);
        await rig.AllAreRightAsync(T0, engagement: false);
        Assert.Equal((0, 0), (await rig.ScoreAsync("--include-engagement-data=false")).Work);
        Assert.Equal((40, 10), (await rig.ScoreAsync()).Work);
        Assert.Equal((40, 5), (await rig.ScoreAsync("--enable-ml-scoring")).Work);
        await rig.AllAreRightAsync(T0, model: true);
        await own.ExecuteAsync("UPDATE lead_model_scores SET model_score = 0 WHERE lead_id = 40; DELETE FROM lead_model_scores WHERE lead_id = 39");
        Assert.Equal((2, 2), (await rig.ScoreAsync("--enable-ml-scoring")).Work);
        await rig.AllAreRightAsync(T0, model: true);
        Assert.Equal((40, 4), (await rig.ScoreAsync()).Work);
        await rig.HistoryIsUnbrokenAsync();
        await rig.FactorsAddUpAsync();
    }

    [Fact]
    public async Task Settings_PriorityNotSet_LeavesPrioritiesAlone()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        var rig = new ScoringRig(own);
        await rig.AddLeadAsync("l", "priority", "'urgent'");

        Assert.Equal((1, 1), (await rig.ScoreAsync("--update-priority-auto=false")).Work);
        Assert.Equal("26 urgent", await own.ScalarAsync<string>("SELECT score || ' ' || priority FROM leads"));
        Assert.Equal((1, 1), (await rig.ScoreAsync()).Work);
        Assert.Equal("26 low", await own.ScalarAsync<string>("SELECT score || ' ' || priority FROM leads"));
    }

    [Fact]
    public async Task Rules_Edited_MakeEverythingDueAndOldHistoryKeepsItsVersion()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        var rig = new ScoringRig(own);
        await rig.AddLeadsAsync("l", 30);
        await rig.ScoreAsync();
        Assert.Equal(ExitCode.Done, (await rig.RunAsync("scoring", "rules", "edit", "--set", "base_points=30")).ExitCode);

        Assert.Equal((30, 30), (await rig.ScoreAsync(T0.AddMinutes(1))).Work);
        Assert.Equal((0, 0), (await rig.ScoreAsync(T0.AddMinutes(2))).Work);

        Assert.Equal(
            ["1 20", "2 30"],
            await own.QueryAsync(
                """
                SELECT DISTINCT (scoring_factors ->> 'rule_version') || ' ' || (scoring_factors #>> '{factors,base}') FROM lead_score_history ORDER BY 1
                """,
                row => row.GetString(0)));
        await rig.AllAreRightAsync(T0);
        await rig.HistoryIsUnbrokenAsync();
    }

    [Theory]
    [InlineData("INSERT INTO free_mail_domains VALUES ('acme.example')", 1)]
    [InlineData("TRUNCATE lead_model_scores", 0)]
    [InlineData("TRUNCATE lead_engagement_events", 1)]
    public async Task SharedInputs_Changed_MakeEverythingDue(string change, int changed)
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        var rig = new ScoringRig(own);
        await rig.AddLeadAsync("a", "email", "'ana@acme.example'");
        await rig.AddLeadAsync("b");
        await own.ExecuteAsync("INSERT INTO lead_engagement_events (lead_ext_id, event_type) VALUES ('b', 'reply')");
        await rig.ScoreAsync();

        await own.ExecuteAsync(change);

        Assert.Equal((2, changed), (await rig.ScoreAsync()).Work);
        await rig.AllAreRightAsync(T0);
    }

    [Fact]
    public async Task Score_NothingDueAndSkipAsked_EndsAsSkipped()
    {
        await _rig.ScoreAsync();
        var answer = await _rig.RunAsync("scoring", "score", "--as-of", T0.ToString("O", CultureInfo.InvariantCulture), "--skip-when-idle");
        Assert.Equal(ExitCode.NothingToDo, answer.ExitCode);
    }

    /// <summary>How often a lead and another one are due after a change of the first.</summary>
    private async Task<(long, long)> DueAfterAsync(string change)
    {
        var name = $"lead{Interlocked.Increment(ref s_pairs)}";
        await _rig.AddLeadAsync(name + "a");
        await _rig.AddLeadAsync(name + "b");
        await database.ExecuteAsync("DELETE FROM lead_score_due WHERE lead_id IN (SELECT lead_id FROM leads WHERE ext_id LIKE @id || '%')", ("id", name));
        await database.ExecuteAsync($"UPDATE leads SET {change} WHERE ext_id = @id", ("id", name + "a"));
        var due = await database.QueryAsync(
            "SELECT (SELECT count(*) FROM lead_score_due d WHERE d.lead_id = l.lead_id AND d.due_at = '-infinity') FROM leads l WHERE ext_id LIKE @id || '%' ORDER BY ext_id",
            row => row.GetInt64(0),
            ("id", name));
        await database.ExecuteAsync("DELETE FROM leads WHERE ext_id LIKE @id || '%'", ("id", name));
        return (due[0], due[1]);
    }

    /// <summary>Two leads of 26 points, with nothing due.</summary>
    private async Task<(string, string)> TwoScoredAsync()
    {
        var name = $"lead{Interlocked.Increment(ref s_pairs)}";
        await _rig.AddLeadAsync(name + "a");
        await _rig.AddLeadAsync(name + "b");
        await _rig.ScoreAsync();
        return (name + "a", name + "b");
    }
}
