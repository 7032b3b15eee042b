using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Database;

/// <summary><c>auto_assign_sales_rep</c> and <c>update_rep_stats</c>.</summary>
public sealed class AssignRepTests(TestDatabase database) : PipelineTests(database)
{
    [Fact]
    public async Task Assign_NoReps_IsNull() => Assert.Null(await AssignAsync("a"));

    [Theory]
    [InlineData("active", "false")]
    [InlineData("max_active_leads", "0")]
    public async Task Assign_UnavailableRep_IsNull(string column, string value)
    {
        await AddRepAsync("ana", column, value);

        Assert.Null(await AssignAsync("a"));
    }

    [Theory]
    [InlineData("'2026-03-16 12:00', '2026-03-16 12:01'", false)]
    [InlineData("'2026-03-01', '2026-03-16 12:00:00.000001'", false)]
    [InlineData("'2026-03-01', NULL", false)]
    [InlineData("'2026-03-16 12:00:00.000001', NULL", true)]
    [InlineData("'2026-03-01', '2026-03-16 12:00'", true)]
    public async Task Assign_WithAbsence_IsAvailableOutsideIt(string period, bool available)
    {
        await AddRepAsync("ana");
        await Db.ExecuteAsync(
            $"SET TimeZone = 'UTC'; INSERT INTO sales_rep_absences (rep_email, starts_at, ends_at) VALUES ('ana@sales.example', {period})");

        Assert.Equal(available ? "ana@sales.example" : null, await AssignAsync("a"));
    }

    [Theory]
    [InlineData("language", "'es'", "languages", "'{es}'", true)]
    [InlineData("language", "'es-MX'", "languages", "'{en, ES}'", true)]
    [InlineData("language", "'ES'", "languages", "'{es_AR}'", true)]
    [InlineData("language", "'fr'", "languages", "'{es, en}'", false)]
    [InlineData("language", "NULL", "languages", "'{es}'", true)]
    [InlineData("language", "''", "languages", "'{es}'", true)]
    [InlineData("language", "'fr'", "languages", "'{}'", true)]
    [InlineData("region", "'Jalisco'", "regions", "'{jalisco}'", true)]
    [InlineData("country", "'MX'", "regions", "'{jalisco, mx}'", true)]
    [InlineData("country", "'US'", "regions", "'{MX}'", false)]
    [InlineData("region", "NULL", "regions", "'{MX}'", true)]
    [InlineData("region", "'Jalisco'", "regions", "'{}'", true)]
    public async Task Assign_LanguageAndRegion_MatchWhereBothStateThem(string leadColumn, string lead, string repColumn, string rep, bool available)
    {
        await AddRepAsync("ana", repColumn, rep);
        await Db.ExecuteAsync($"INSERT INTO leads (ext_id, source, {leadColumn}) VALUES ('a', 'organic', {lead})");

        Assert.Equal(available ? "ana@sales.example" : null, await AssignAsync("a"));
    }

    [Fact]
    public async Task Assign_LeadOfOtherRegionButServedCountry_IsAvailable()
    {
        await AddRepAsync("ana", "regions", "'{MX}'");
        await Db.ExecuteAsync("INSERT INTO leads (ext_id, source, region, country) VALUES ('a', 'organic', 'Jalisco', 'mx')");

        Assert.Equal("ana@sales.example", await AssignAsync("a"));
    }

    [Fact]
    public async Task Assign_FullRep_IsNullUntilADealCloses()
    {
        await AddRepAsync("ana", "max_active_leads", "2");
        await AddDealAsync("d1", "assigned_to", "'ana@sales.example'");
        await AddDealAsync("d2", "assigned_to", "'ANA@sales.example'");
        Assert.Null(await AssignAsync("a"));

        await Db.ExecuteAsync("UPDATE sales_pipeline SET stage = 'closed_lost' WHERE lead_ext_id = 'd1'");
        Assert.Equal("ana@sales.example", await AssignAsync("a"));
    }

    [Fact]
    public async Task Assign_LeastRelativeLoad_Wins()
    {
        // 2 of 10 is less than 1 of 4.
        await AddRepAsync("big", "max_active_leads", "10");
        await AddRepAsync("small", "max_active_leads", "4");
        await AddDealAsync("d1", "assigned_to", "'big@sales.example'");
        await AddDealAsync("d2", "assigned_to", "'big@sales.example'");
        await AddDealAsync("d3", "assigned_to", "'small@sales.example'");

        Assert.All(await AssignManyAsync(50), rep => Assert.Equal("big@sales.example", rep));
    }

    [Fact]
    public async Task Assign_EqualLoad_FewerOverdueTasksWin()
    {
        await AddRepAsync("ana");
        await AddRepAsync("luis");
        var deal = await AddDealAsync("d");
        await AddTaskAsync(deal, "assigned_to, due_date", "'ana@sales.example', sales_now() - interval '1 minute'");

        // None of these is overdue: due later, done, cancelled.
        await AddTaskAsync(deal, "assigned_to, due_date", "'luis@sales.example', sales_now() + interval '1 minute'");
        await AddTaskAsync(deal, "assigned_to, due_date, status", "'luis@sales.example', '2026-01-01', 'completed'");
        await AddTaskAsync(deal, "assigned_to, due_date, status", "'luis@sales.example', '2026-01-01', 'cancelled'");

        Assert.All(await AssignManyAsync(50), rep => Assert.Equal("luis@sales.example", rep));
    }

    [Fact]
    public async Task Assign_TasksOverdue_DoNotOutweighLoad()
    {
        await AddRepAsync("ana");
        await AddRepAsync("luis");
        await AddTaskAsync(await AddDealAsync("d", "assigned_to", "'luis@sales.example'"), "assigned_to, due_date", "'ana@sales.example', '2026-01-01'");

        Assert.Equal("ana@sales.example", await AssignAsync("a"));
    }

    [Fact]
    public async Task Assign_EqualReps_NobodyIsFavoured()
    {
        await AddRepAsync("first");
        await AddRepAsync("second");
        await AddRepAsync("third");

        var assigned = (await AssignManyAsync(3000)).CountBy(rep => rep!).ToDictionary();

        // Binomial with p = 1/3: five standard deviations are 129.
        Assert.Equal(3, assigned.Count);
        Assert.All(assigned.Values, count => Assert.InRange(count, 871, 1129));
    }

    [Fact]
    public async Task Assign_SameLead_SameAnswer()
    {
        await AddRepAsync("first");
        await AddRepAsync("second");

        Assert.Equal(await AssignManyAsync(100), await AssignManyAsync(100));
    }

    [Fact]
    public async Task Assign_ManyInOneUpdate_SharesEvenlyUpToCapacity()
    {
        foreach (var rep in new[] { "ana", "eva", "luis" })
        {
            await AddRepAsync(rep, "max_active_leads", "20");
        }

        await Db.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source) SELECT 'm' || i, 'organic' FROM generate_series(1, 64) i;
            INSERT INTO sales_pipeline (lead_ext_id, email) SELECT ext_id, 'm@lead.example' FROM leads
            """);

        await Db.ExecuteAsync("UPDATE sales_pipeline SET assigned_to = auto_assign_sales_rep(lead_ext_id) WHERE assigned_to IS NULL");

        Assert.Equal(
            ["ana@sales.example 20", "eva@sales.example 20", "luis@sales.example 20", "nobody 4"],
            await ColumnAsync("SELECT coalesce(assigned_to, 'nobody') || ' ' || count(*) FROM sales_pipeline GROUP BY assigned_to ORDER BY 1"));
    }

    [Fact]
    public async Task Assign_ManyInOneUpdate_EqualRepsEndWithinOneLead()
    {
        await AddRepAsync("ana");
        await AddRepAsync("eva");
        await AddRepAsync("luis");
        await Db.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source) SELECT 'm' || i, 'organic' FROM generate_series(1, 50) i;
            INSERT INTO sales_pipeline (lead_ext_id, email) SELECT ext_id, 'm@lead.example' FROM leads
            """);

        await Db.ExecuteAsync("UPDATE sales_pipeline SET assigned_to = auto_assign_sales_rep(lead_ext_id)");

        Assert.Equal(["16 17"], await ColumnAsync(
            "SELECT min(n) || ' ' || max(n) FROM (SELECT count(*) AS n FROM sales_pipeline GROUP BY assigned_to) AS per_rep"));
    }

    [Fact]
    public async Task UpdateRepStats_OfRep_StoresAndReturnsTheView()
    {
        await AddRepAsync("ana");
        await AddTaskAsync(
            await AddDealAsync("open", "assigned_to, estimated_value, probability_pct, score", "'ana@sales.example', 1000, 50, 80"),
            "due_date",
            "'2026-03-01'");
        await AddDealAsync(
            "won", "assigned_to, stage, estimated_value, qualified_at, closed_at",
            "'ana@sales.example', 'closed_won', 500, '2026-03-01', '2026-03-11'");

        var returned = await RowAsync("SELECT * FROM update_rep_stats('ANA@sales.example')");
        var stored = await RowAsync("SELECT * FROM sales_reps");
        var view = await RowAsync("SELECT * FROM v_sales_rep_performance");

        Assert.Equal("ana@sales.example", returned["rep_email"]);
        Assert.Equal(Now, stored["stats_updated_at"]);
        Assert.Equal(Now, returned["stats_updated_at"]);
        foreach (var (name, value) in view.Where(column => column.Key != "assigned_to"))
        {
            Assert.Equal(value, returned[name]);
            Assert.Equal(value, stored[name]);
        }

        Assert.Equal(1L, stored["active_leads"]);
        Assert.Equal(1L, stored["won_last_30d"]);
        Assert.Equal(100m, stored["win_rate_pct"]);
        Assert.Equal(500m, stored["total_revenue"]);
        Assert.Equal(10m, stored["avg_days_to_close"]);
        Assert.Equal(1L, stored["overdue_tasks"]);
        Assert.Equal(80m, stored["avg_lead_score"]);
        Assert.Equal(500m, stored["weighted_pipeline"]);
    }

    [Fact]
    public async Task UpdateRepStats_OfIdleRep_StoresZeros()
    {
        await AddRepAsync("ana", "active_leads, win_rate_pct", "9, 50");

        var returned = await RowAsync("SELECT * FROM update_rep_stats('ana@sales.example')");

        Assert.All(["active_leads", "won_last_30d", "lost_last_30d", "total_closed", "overdue_tasks"], name => Assert.Equal(0L, returned[name]));
        Assert.All(["total_revenue", "weighted_pipeline"], name => Assert.Equal(0m, returned[name]));
        Assert.All(["win_rate_pct", "avg_days_to_close", "avg_lead_score"], name => Assert.Null(returned[name]));
    }

    [Fact]
    public async Task UpdateRepStats_OfNobody_ReturnsNoRow()
    {
        await AddDealAsync("d", "assigned_to", "'gone@sales.example'");

        Assert.Empty(await Db.RowsAsync("SELECT * FROM update_rep_stats('gone@sales.example')"));
    }

    private Task<int> AddRepAsync(string name, string columns = "active", string values = "true") =>
        Db.ExecuteAsync($"INSERT INTO sales_reps (email, name, {columns}) VALUES ('{name}@sales.example', '{name}', {values})");

    private Task<string?> AssignAsync(string lead) => Db.ScalarAsync<string>("SELECT auto_assign_sales_rep(@lead)", ("lead", lead));

    /// <summary>The answers for leads 1 … count, nothing being assigned in between.</summary>
    private Task<List<string?>> AssignManyAsync(int count) =>
        ColumnAsync("SELECT auto_assign_sales_rep('lead-' || i) FROM generate_series(1, @count) i ORDER BY i", ("count", count));
}
