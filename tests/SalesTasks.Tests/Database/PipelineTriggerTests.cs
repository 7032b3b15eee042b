using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Database;

/// <summary>What the tables keep by themselves, whoever writes them.</summary>
public sealed class PipelineTriggerTests(TestDatabase database) : PipelineTests(database)
{
    private static readonly string[] Stages =
        ["qualified", "contacted", "meeting_scheduled", "proposal_sent", "negotiating", "closed_won", "closed_lost"];

    public static TheoryData<string, string> StageChanges =>
        [.. from before in Stages from after in Stages select new TheoryDataRow<string, string>(before, after)];

    [Theory]
    [MemberData(nameof(StageChanges))]
    public async Task Stage_AnyChange_SetsAndClearsClosedAt(string before, string after)
    {
        var deal = await AddDealAsync("a", "stage, qualified_at", $"'{before}', '2026-01-01'");
        Assert.Equal(IsClosed(before) ? Now : null, (await DealAsync(deal))["closed_at"]);

        await Db.ExecuteAsync($"SET salestasks.as_of = '2026-03-20'; UPDATE sales_pipeline SET stage = '{after}' WHERE id = @id", ("id", deal));

        DateTime? expected = !IsClosed(after) ? null : before == after ? Now : new DateTime(2026, 3, 20, 0, 0, 0, DateTimeKind.Utc);
        Assert.Equal(expected, (await DealAsync(deal))["closed_at"]);
    }

    [Theory]
    [MemberData(nameof(StageChanges))]
    public async Task Stage_AnyChange_IsInHistoryOnce(string before, string after)
    {
        var deal = await AddDealAsync("a", "stage, qualified_at", $"'{before}', '2026-01-01'");

        await Db.ExecuteAsync(
            $"SET salestasks.as_of = '2026-03-20'; SET salestasks.actor = 'a test'; UPDATE sales_pipeline SET stage = '{after}' WHERE id = @id", ("id", deal));

        var expected = new List<string?> { "- qualified 2026-01-01" };
        if (before != "qualified")
        {
            expected.Add($"qualified {before} 2026-03-16");
        }

        if (after != before)
        {
            expected.Add($"{before} {after} 2026-03-20 a test");
        }

        Assert.Equal(
            expected,
            await ColumnAsync(
                """
                SELECT concat_ws(' ', coalesce(from_stage::text, '-'), to_stage, (changed_at AT TIME ZONE 'UTC')::date,
                  CASE changed_by WHEN session_user THEN NULL ELSE changed_by END)
                FROM sales_stage_history WHERE pipeline_id = @id AND lead_ext_id = 'a' ORDER BY id
                """,
                ("id", deal)));
    }

    [Fact]
    public async Task ClosedAt_GivenWithClosedStage_IsKeptOnInsertAndUpdate()
    {
        await AddDealAsync("imported", "stage, qualified_at, closed_at", "'closed_lost', '2024-01-01', '2024-02-01'");
        await AddDealAsync("updated", "qualified_at", "'2024-01-01'");
        await Db.ExecuteAsync("UPDATE sales_pipeline SET stage = 'closed_won', closed_at = '2024-02-01' WHERE lead_ext_id = 'updated'");

        Assert.Equal(
            ["imported 2024-02-01", "updated 2024-02-01"],
            await ColumnAsync("SELECT lead_ext_id || ' ' || (closed_at AT TIME ZONE 'UTC')::date FROM sales_pipeline ORDER BY 1"));
        Assert.Equal(
            ["imported qualified 2024-01-01", "imported closed_lost 2024-02-01", "updated qualified 2024-01-01", "updated closed_won 2024-02-01"],
            await ColumnAsync(
                """
                SELECT concat_ws(' ', lead_ext_id, to_stage, (changed_at AT TIME ZONE 'UTC')::date)
                FROM sales_stage_history ORDER BY lead_ext_id, changed_at
                """));
    }

    [Fact]
    public async Task ClosedAt_BeforeQualifiedAt_TakesQualifiedAtAlong()
    {
        var deal = await AddDealAsync("a", "stage, closed_at", "'closed_won', '2017-03-01'");

        Assert.Equal(new DateTime(2017, 3, 1, 0, 0, 0, DateTimeKind.Utc), (await DealAsync(deal))["qualified_at"]);
    }

    [Fact]
    public async Task ClosedAt_SetOnOpenDeal_StaysNull()
    {
        var inserted = await AddDealAsync("a", "stage, closed_at", "'negotiating', '2026-03-01'");
        var updated = await AddDealAsync("b");
        await Db.ExecuteAsync("UPDATE sales_pipeline SET closed_at = '2026-03-01' WHERE id = @id", ("id", updated));

        Assert.Null((await DealAsync(inserted))["closed_at"]);
        Assert.Null((await DealAsync(updated))["closed_at"]);
    }

    [Fact]
    public async Task ClosedAt_OfClosedDeal_MayBeCorrectedButNotCleared()
    {
        var deal = await AddDealAsync("a", "stage", "'closed_won'");

        await Db.ExecuteAsync("UPDATE sales_pipeline SET closed_at = '2026-03-10'");
        Assert.Equal(new DateTime(2026, 3, 10, 0, 0, 0, DateTimeKind.Utc), (await DealAsync(deal))["closed_at"]);

        await Db.ExecuteAsync("UPDATE sales_pipeline SET closed_at = NULL");
        Assert.Equal(new DateTime(2026, 3, 10, 0, 0, 0, DateTimeKind.Utc), (await DealAsync(deal))["closed_at"]);
    }

    [Fact]
    public async Task Insert_OfManyDeals_WritesOneHistoryRowEach()
    {
        await Db.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source) SELECT 'm' || i, 'organic' FROM generate_series(1, 500) i;
            INSERT INTO sales_pipeline (lead_ext_id, email) SELECT ext_id, 'm@lead.example' FROM leads
            """);

        Assert.Equal(
            ["500 500"],
            await ColumnAsync("SELECT count(*) || ' ' || count(DISTINCT pipeline_id) FROM sales_stage_history WHERE from_stage IS NULL"));
    }

    [Fact]
    public async Task Insert_OfKnownLead_LeavesHistoryAlone()
    {
        await AddDealAsync("a");

        await Db.ExecuteAsync("INSERT INTO sales_pipeline (lead_ext_id, email) VALUES ('a', 'a@lead.example') ON CONFLICT (lead_ext_id) DO NOTHING");
        Assert.Equal(["qualified"], await ColumnAsync("SELECT to_stage FROM sales_stage_history"));

        await Db.ExecuteAsync(
            """
            INSERT INTO sales_pipeline (lead_ext_id, email) VALUES ('a', 'a@lead.example')
            ON CONFLICT (lead_ext_id) DO UPDATE SET stage = 'contacted'
            """);
        Assert.Equal(["qualified", "contacted"], await ColumnAsync("SELECT to_stage FROM sales_stage_history ORDER BY id"));
    }

    [Fact]
    public async Task LastContact_Changed_MovesFollowupThreeDays()
    {
        var deal = await AddDealAsync("a", "next_followup_at", "'2026-03-01'");

        await Db.ExecuteAsync("UPDATE sales_pipeline SET last_contact_at = '2026-03-15 09:30+00'");

        Assert.Equal(new DateTime(2026, 3, 18, 9, 30, 0, DateTimeKind.Utc), (await DealAsync(deal))["next_followup_at"]);
    }

    [Fact]
    public async Task LastContact_Changed_MovesFollowupByLearnedInterval()
    {
        var deal = await AddDealAsync("a");
        await Db.ExecuteAsync("INSERT INTO lead_contact_timing (lead_ext_id, interval_days) VALUES ('a', 5.5)");

        await Db.ExecuteAsync("UPDATE sales_pipeline SET last_contact_at = '2026-03-15 00:00+00'");

        Assert.Equal(new DateTime(2026, 3, 20, 12, 0, 0, DateTimeKind.Utc), (await DealAsync(deal))["next_followup_at"]);
    }

    [Theory]
    [InlineData("last_contact_at = '2026-03-15', next_followup_at = '2026-04-01'", "2026-04-01")]
    [InlineData("last_contact_at = '2026-03-15', next_followup_at = NULL", null)]
    [InlineData("last_contact_at = '2026-03-15', next_followup_at = '2026-03-02'", "2026-03-18")]
    [InlineData("last_contact_at = last_contact_at", "2026-03-02")]
    [InlineData("last_contact_at = NULL", "2026-03-02")]
    [InlineData("notes = 'x'", "2026-03-02")]
    [InlineData("last_contact_at = '2026-03-15', stage = 'closed_won'", "2026-03-02")]
    public async Task NextFollowup_AfterUpdate_Is(string update, string? expected)
    {
        await AddDealAsync("a", "last_contact_at, next_followup_at", "'2026-02-27', '2026-03-02'");

        await Db.ExecuteAsync($"UPDATE sales_pipeline SET {update}");

        Assert.Equal([expected], await ColumnAsync("SELECT (next_followup_at AT TIME ZONE 'UTC')::date::text FROM sales_pipeline"));
    }

    [Theory]
    [InlineData("sales_pipeline", "notes = 'x'")]
    [InlineData("sales_followup_tasks", "task_title = 'x'")]
    [InlineData("sales_campaigns", "description = 'x'")]
    [InlineData("sales_campaign_executions", "current_step = 1")]
    [InlineData("sales_reps", "name = 'x'")]
    public async Task UpdatedAt_OnUpdate_IsSetUnlessGiven(string table, string update)
    {
        await AddTaskAsync(await AddDealAsync("a"));
        await Db.ExecuteAsync(
            """
            INSERT INTO sales_campaigns (id, name, campaign_type) VALUES (700, 'Welcome', 'nurturing');
            INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id) VALUES (700, 'a');
            INSERT INTO sales_reps (email, name) VALUES ('ana@sales.example', 'Ana')
            """);

        await Db.ExecuteAsync($"SET salestasks.as_of = '2026-03-20'; UPDATE {table} SET {update}");
        Assert.Equal(new DateTime(2026, 3, 20, 0, 0, 0, DateTimeKind.Utc), await Db.ScalarAsync<DateTime>($"SELECT updated_at FROM {table}"));

        await Db.ExecuteAsync($"UPDATE {table} SET {update}, updated_at = '2026-03-25'");
        Assert.Equal(new DateTime(2026, 3, 25, 0, 0, 0, DateTimeKind.Utc), await Db.ScalarAsync<DateTime>($"SELECT updated_at FROM {table}"));
    }

    [Theory]
    [InlineData("Ana@Sales.Example", "ana@sales.example")]
    [InlineData(" ana@sales.example ", "ana@sales.example")]
    [InlineData("Ana Ruiz", "Ana Ruiz")]
    [InlineData("  ", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public async Task AssignedTo_Written_IsFolded(string? written, string? expected)
    {
        var deal = await AddDealAsync("a", "assigned_to", written is null ? "NULL" : $"'{written}'");
        await AddTaskAsync(deal, "assigned_to", written is null ? "NULL" : $"'{written}'");
        Assert.Equal(expected, (await DealAsync(deal))["assigned_to"]);

        await Db.ExecuteAsync("UPDATE sales_pipeline SET assigned_to = @to; UPDATE sales_followup_tasks SET assigned_to = @to", ("to", written));
        Assert.Equal([expected, expected], await ColumnAsync("SELECT assigned_to FROM sales_pipeline UNION ALL SELECT assigned_to FROM sales_followup_tasks"));
    }

    [Fact]
    public async Task CompletedAt_FollowsStatus()
    {
        await AddTaskAsync(await AddDealAsync("a"));
        Assert.Null(await CompletedAtAsync());

        await Db.ExecuteAsync("UPDATE sales_followup_tasks SET status = 'completed'");
        Assert.Equal(Now, await CompletedAtAsync());

        // Completed once more: the first time counts. Cleared by hand: it stays.
        await Db.ExecuteAsync("SET salestasks.as_of = '2026-03-20'; UPDATE sales_followup_tasks SET status = 'completed'");
        await Db.ExecuteAsync("UPDATE sales_followup_tasks SET completed_at = NULL");
        Assert.Equal(Now, await CompletedAtAsync());

        await Db.ExecuteAsync("UPDATE sales_followup_tasks SET completed_at = '2026-03-10'");
        Assert.Equal(new DateTime(2026, 3, 10, 0, 0, 0, DateTimeKind.Utc), await CompletedAtAsync());

        await Db.ExecuteAsync("UPDATE sales_followup_tasks SET status = 'in_progress'");
        Assert.Null(await CompletedAtAsync());
    }

    [Theory]
    [InlineData("'completed', NULL", "2026-03-16")]
    [InlineData("'completed', '2026-03-01'", "2026-03-01")]
    [InlineData("'skipped', '2026-03-01'", null)]
    [InlineData("'pending', NULL", null)]
    public async Task CompletedAt_OnInsert_Is(string statusAndCompletedAt, string? expected)
    {
        await AddTaskAsync(await AddDealAsync("a"), "status, completed_at", statusAndCompletedAt);

        Assert.Equal([expected], await ColumnAsync("SELECT (completed_at AT TIME ZONE 'UTC')::date::text FROM sales_followup_tasks"));
    }

    private static bool IsClosed(string stage) => stage.StartsWith("closed_", StringComparison.Ordinal);

    private Task<Dictionary<string, object?>> DealAsync(long id) => RowAsync("SELECT * FROM sales_pipeline WHERE id = @id", ("id", id));

    private Task<DateTime?> CompletedAtAsync() => Db.ScalarAsync<DateTime?>("SELECT completed_at FROM sales_followup_tasks");
}
