using System.Globalization;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Database;

/// <summary><c>v_sales_dashboard</c>, <c>v_leads_requires_attention</c>, <c>v_sales_rep_performance</c> and the two query functions.</summary>
public sealed class ViewTests(TestDatabase database) : PipelineTests(database)
{
    /// <summary>What may stand in metadata, none of it a usable prediction.</summary>
    public static TheoryData<string> Junk =>
    [
        "null",
        "[]",
        "3",
        "\"text\"",
        "{}",
        """{"ml_predictions": null}""",
        """{"ml_predictions": 0.9}""",
        """{"ml_predictions": [0.9]}""",
        """{"ml_predictions": {"risk_score": "high", "probability": "0.9", "time_to_close_days": "soon", "predicted_at": "yesterday"}}""",
        """{"ml_predictions": {"risk_score": true, "probability": {}, "time_to_close_days": [1], "predicted_at": 5}}""",
        """{"ml_predictions": {"risk_score": null, "probability": null, "time_to_close_days": null, "predicted_at": null}}""",
        """{"ml_predictions": {"risk_score": 1e500, "probability": -1e500, "time_to_close_days": 1e500, "predicted_at": "2026-02-31"}}""",
        """{"ml_predictions": {"risk_score": 1.01, "probability": 100.5, "time_to_close_days": -1, "predicted_at": "2026-13-01T00:00:00Z"}}""",
        """{"ml_predictions": {"risk_score": -0.01, "probability": -1, "time_to_close_days": 99999, "predicted_at": "0000-00-00"}}""",
    ];

    [Theory]
    [InlineData("v_sales_dashboard")]
    [InlineData("v_leads_requires_attention")]
    [InlineData("v_sales_rep_performance")]
    [InlineData("v_sales_forecast")]
    [InlineData("get_top_opportunities()")]
    [InlineData("get_leads_at_risk()")]
    public async Task View_EmptyTables_HasNoRows(string view) => Assert.Empty(await Db.RowsAsync($"SELECT * FROM {view}"));

    [Theory]
    [MemberData(nameof(Junk))]
    public async Task Views_UnusableMetadata_AreReadAndShowNoPrediction(string metadata)
    {
        await AddDealAsync("a", "metadata, qualified_at, estimated_value", $"'{metadata}', '2026-03-10', 50");

        var row = await RowAsync("SELECT * FROM v_sales_dashboard");
        Assert.Null(row["ml_probability"]);
        Assert.Null(row["ml_risk_score"]);
        Assert.Empty(await Db.RowsAsync("SELECT * FROM v_leads_requires_attention"));
        Assert.Empty(await Db.RowsAsync("SELECT * FROM get_leads_at_risk()"));
        Assert.Single(await Db.RowsAsync("SELECT * FROM get_top_opportunities()"));

        // As without any prediction: 60 days after 10 March.
        Assert.Equal(new DateOnly(2026, 5, 1), (await RowAsync("SELECT * FROM v_sales_forecast"))["forecast_month"]);
    }

    [Fact]
    public async Task Dashboard_OneDeal_ShowsIt()
    {
        var deal = await AddDealAsync(
            "a",
            "first_name, last_name, score, priority, stage, assigned_to, estimated_value, probability_pct, qualified_at, last_contact_at, next_followup_at, metadata",
            """
            'Ana', 'Ruiz', 72, 'high', 'proposal_sent', 'luis@sales.example', 1234.50, 33, sales_now() - interval '9 days 23 hours',
            sales_now() - interval '2 days 1 hour', '2026-03-17', '{"ml_predictions": {"probability": 0.61, "risk_score": 0.25}}'
            """);

        var row = await RowAsync("SELECT * FROM v_sales_dashboard");

        Assert.Equal(deal, row["id"]);
        Assert.Equal("a", row["lead_ext_id"]);
        Assert.Equal("a@lead.example", row["email"]);
        Assert.Equal("Ana Ruiz", row["full_name"]);
        Assert.Equal(72, row["score"]);
        Assert.Equal("high", row["priority"]);
        Assert.Equal("proposal_sent", row["stage"]);
        Assert.Equal("luis@sales.example", row["assigned_to"]);
        Assert.Equal(1234.50m, row["estimated_value"]);
        Assert.Equal(33, row["probability_pct"]);
        Assert.Equal(407.39m, row["expected_value"]);
        Assert.Equal(9, row["days_in_pipeline"]);
        Assert.Equal(2, row["days_since_contact"]);
        Assert.Equal(0.61m, row["ml_probability"]);
        Assert.Equal(0.25m, row["ml_risk_score"]);
        Assert.Equal("Propuesta", row["stage_label"]);
    }

    [Theory]
    [InlineData("'Ana'", "'Ruiz'", "Ana Ruiz")]
    [InlineData("'Ana'", "NULL", "Ana")]
    [InlineData("NULL", "'Ruiz'", "Ruiz")]
    [InlineData("''", "' Ruiz '", "Ruiz")]
    [InlineData("' '", "NULL", "a@lead.example")]
    [InlineData("NULL", "NULL", "a@lead.example")]
    public async Task FullName_AnyHalves_IsNeverNull(string first, string last, string expected)
    {
        await AddDealAsync("a", "first_name, last_name", $"{first}, {last}");

        Assert.Equal([expected], await ColumnAsync("SELECT full_name FROM v_sales_dashboard"));
        Assert.Equal([expected], await ColumnAsync("SELECT full_name FROM get_top_opportunities()"));
    }

    [Fact]
    public async Task Dashboard_UnknownValueAndProbability_ExpectedValueIsUnknown()
    {
        await AddDealAsync("a", "probability_pct, estimated_value", "20, NULL");
        await AddDealAsync("b", "probability_pct, estimated_value", "NULL, 500");

        Assert.Equal([null, null], await ColumnAsync("SELECT expected_value FROM v_sales_dashboard"));
    }

    [Fact]
    public async Task Dashboard_StagesOfOpenDeals_AreLabelledInSpanish()
    {
        foreach (var stage in new[] { "qualified", "contacted", "meeting_scheduled", "proposal_sent", "negotiating", "closed_won", "closed_lost" })
        {
            await AddDealAsync(stage, "stage", $"'{stage}'");
        }

        Assert.Equal(
            ["Inicial", "Contactado", "Reunión", "Propuesta", "Negociación"],
            await ColumnAsync("SELECT stage_label FROM v_sales_dashboard ORDER BY stage"));
        var definition = await Db.ScalarAsync<string>("SELECT pg_get_viewdef('v_sales_dashboard'::regclass)");
        Assert.Contains("'Ganado'", definition, StringComparison.Ordinal);
        Assert.Contains("'Perdido'", definition, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dashboard_ManyTasks_AreCountedPerDealWithoutMultiplyingIt()
    {
        var deal = await AddDealAsync("a", "estimated_value", "100");
        await AddDealAsync("b", "estimated_value", "100");
        await AddTaskAsync(deal, "due_date", "sales_now() + interval '1 minute'");
        await AddTaskAsync(deal, "due_date", "sales_now()");
        await AddTaskAsync(deal, "due_date", "NULL");
        await AddTaskAsync(deal, "due_date", "sales_now() - interval '1 minute'");
        await AddTaskAsync(deal, "due_date, status", "'2026-01-01', 'in_progress'");
        foreach (var status in new[] { "completed", "completed", "completed", "skipped", "cancelled" })
        {
            await AddTaskAsync(deal, "due_date, status", $"'2026-01-01', '{status}'");
        }

        Assert.Equal(
            ["a 5 2 3", "b 0 0 0"],
            await ColumnAsync("SELECT concat_ws(' ', lead_ext_id, pending_tasks, overdue_tasks, completed_tasks) FROM v_sales_dashboard ORDER BY 1"));
        Assert.Equal(200m, await Db.ScalarAsync<decimal>("SELECT sum(estimated_value) FROM v_sales_dashboard"));
    }

    [Theory]
    [InlineData("last_contact_at", "'2026-03-06'", 10)]
    [InlineData("first_contact_at", "'2026-03-06'", 10)]
    [InlineData("notes", "'never contacted'", 20)]
    [InlineData("last_contact_at", "'2026-03-20'", 0)]
    public async Task DaysSinceContact_CountFromLastContactElseFromQualification(string column, string value, int expected)
    {
        await AddDealAsync("a", $"qualified_at, {column}", $"'2026-02-24', {value}");

        Assert.Equal(expected, (await RowAsync("SELECT days_since_contact FROM v_sales_dashboard"))["days_since_contact"]);
    }

    [Theory]
    [InlineData("estimated_value, last_contact_at", "10000, sales_now() - interval '7 days'", true)]
    [InlineData("estimated_value, last_contact_at", "9999.99, sales_now() - interval '7 days'", false)]
    [InlineData("estimated_value, last_contact_at", "10000, sales_now() - interval '6 days 23 hours'", false)]
    [InlineData("last_contact_at", "sales_now() - interval '14 days'", true)]
    [InlineData("last_contact_at", "sales_now() - interval '13 days 23 hours'", false)]
    [InlineData("qualified_at", "sales_now() - interval '14 days'", true)]
    [InlineData("metadata", """'{"ml_predictions": {"risk_score": 0.71}}'""", true)]
    [InlineData("metadata", """'{"ml_predictions": {"risk_score": 0.7}}'""", false)]
    [InlineData("estimated_value", "99999", false)]
    [InlineData("stage, estimated_value, last_contact_at", "'closed_lost', 99999, '2026-01-01'", false)]
    public async Task Attention_Deal_IsListedWhenItNeedsIt(string columns, string values, bool listed)
    {
        await AddDealAsync("a", columns, values);

        Assert.Equal(listed ? 1 : 0, (await Db.RowsAsync("SELECT * FROM v_leads_requires_attention")).Count);
    }

    [Theory]
    [InlineData("due_date", "sales_now() - interval '1 minute'", true)]
    [InlineData("due_date", "sales_now()", false)]
    [InlineData("due_date", "NULL", false)]
    [InlineData("due_date, status", "'2026-01-01', 'completed'", false)]
    [InlineData("due_date, status", "'2026-01-01', 'in_progress'", true)]
    public async Task Attention_Task_BringsItsDealInWhenOverdue(string columns, string values, bool listed)
    {
        var deal = await AddDealAsync("a");
        await AddTaskAsync(deal, columns, values);
        await AddTaskAsync(deal, columns, values);

        Assert.Equal(listed ? ["2"] : [], await ColumnAsync("SELECT overdue_tasks FROM v_leads_requires_attention"));
    }

    [Fact]
    public async Task Attention_Deals_MostUrgentFirst()
    {
        async Task AddAsync(string lead, string priority, int tasks, int days, string value)
        {
            var deal = await AddDealAsync(lead, "priority, last_contact_at, estimated_value", $"{priority}, sales_now() - interval '{days} days', {value}");
            for (var task = 0; task < tasks; task++)
            {
                await AddTaskAsync(deal, "due_date", "'2026-01-01'");
            }
        }

        await AddAsync("no priority", "NULL", 3, 90, "90000");
        await AddAsync("low", "'low'", 3, 90, "90000");
        await AddAsync("high, unknown value", "'high'", 0, 20, "NULL");
        await AddAsync("medium", "'medium'", 0, 20, "90000");
        await AddAsync("high, worth more", "'high'", 0, 20, "500");
        await AddAsync("urgent", "'urgent'", 0, 15, "1");
        await AddAsync("high, longer silent", "'high'", 0, 21, "1");
        await AddAsync("high, overdue", "'high'", 1, 1, "1");

        Assert.Equal(
            [
                "urgent", "high, overdue", "high, longer silent", "high, worth more", "high, unknown value", "medium", "low", "no priority",
            ],
            await ColumnAsync("SELECT lead_ext_id FROM v_leads_requires_attention"));
    }

    [Fact]
    public async Task RepPerformance_DealsAndTasks_AreCountedOnceEach()
    {
        var first = await AddDealAsync("d1", "assigned_to, estimated_value, probability_pct, score", "'ana@sales.example', 1000, 50, 80");
        await AddDealAsync("d2", "assigned_to, estimated_value, probability_pct, score", "'ana@sales.example', 333.33, 10, 61");
        await AddDealAsync("d3", "assigned_to, estimated_value, probability_pct", "'ana@sales.example', NULL, 90");
        await AddDealAsync("w1", "assigned_to, stage, estimated_value, qualified_at", "'ana@sales.example', 'closed_won', 700, sales_now() - interval '10 days'");
        await AddDealAsync("w2", "assigned_to, stage, estimated_value, qualified_at", "'ana@sales.example', 'closed_won', 300, sales_now() - interval '21 days'");
        await AddDealAsync("l1", "assigned_to, stage, estimated_value", "'ana@sales.example', 'closed_lost', 900");
        for (var task = 0; task < 4; task++)
        {
            await AddTaskAsync(first, "assigned_to, due_date", "'ana@sales.example', '2026-03-01'");
            await AddTaskAsync(first, "assigned_to, due_date, status", "'ana@sales.example', '2026-03-01', 'completed'");
        }

        var row = await RowAsync("SELECT * FROM v_sales_rep_performance");

        Assert.Equal("ana@sales.example", row["assigned_to"]);
        Assert.Equal(3L, row["active_leads"]);
        Assert.Equal(2L, row["won_last_30d"]);
        Assert.Equal(1L, row["lost_last_30d"]);
        Assert.Equal(3L, row["total_closed"]);
        Assert.Equal(66.67m, row["win_rate_pct"]);
        Assert.Equal(1000m, row["total_revenue"]);
        Assert.Equal(15.50m, row["avg_days_to_close"]);
        Assert.Equal(4L, row["overdue_tasks"]);
        Assert.Equal(70.50m, row["avg_lead_score"]);
        Assert.Equal(533.33m, row["weighted_pipeline"]);
    }

    [Fact]
    public async Task RepPerformance_DealsClosedLongAgo_DoNotCountButTheRepShows()
    {
        await AddDealAsync("w", "assigned_to, stage, closed_at", "'ana', 'closed_won', sales_now() - interval '30 days'");
        await AddDealAsync("l", "assigned_to, stage, closed_at", "'luis', 'closed_lost', sales_now() - interval '30 days 1 minute'");

        Assert.Equal(
            ["ana 0 1 0 1 100.00", "luis 0 0 0 0"],
            await ColumnAsync(
                """
                SELECT concat_ws(' ', assigned_to, active_leads, won_last_30d, lost_last_30d, total_closed, win_rate_pct)
                FROM v_sales_rep_performance ORDER BY 1
                """));
    }

    [Fact]
    public async Task RepPerformance_UnassignedDeals_AreNobodys()
    {
        await AddTaskAsync(await AddDealAsync("a"), "due_date", "'2026-03-01'");

        Assert.Empty(await Db.RowsAsync("SELECT * FROM v_sales_rep_performance"));
    }

    [Fact]
    public async Task RepPerformance_OverdueTasks_BelongToTheirAssigneeElseToTheOwner()
    {
        var deal = await AddDealAsync("a", "assigned_to", "'owner'");
        await AddTaskAsync(deal, "due_date", "'2026-03-01'");
        await AddTaskAsync(deal, "due_date, assigned_to", "'2026-03-01', 'helper'");
        await AddTaskAsync(deal, "due_date, assigned_to", "'2026-03-01', 'helper'");

        Assert.Equal(
            ["helper 0 2", "owner 1 1"],
            await ColumnAsync("SELECT concat_ws(' ', assigned_to, active_leads, overdue_tasks) FROM v_sales_rep_performance ORDER BY 1"));
        Assert.Equal(["helper 2"], await ColumnAsync("SELECT concat_ws(' ', assigned_to, overdue_tasks) FROM v_sales_rep_performance WHERE assigned_to = 'helper'"));
    }

    [Fact]
    public async Task TopOpportunities_Deals_ByExpectedValueWithinLimitAndMinimum()
    {
        await AddDealAsync("half of 1000", "estimated_value, probability_pct", "1000, 50");
        await AddDealAsync("tenth of 9000", "estimated_value, probability_pct", "9000, 10");
        await AddDealAsync("all of 400", "estimated_value, probability_pct", "400, 100");
        await AddDealAsync("unknown", "estimated_value", "NULL");
        await AddDealAsync("won", "estimated_value, stage", "99999, 'closed_won'");

        Assert.Equal(
            ["tenth of 9000", "half of 1000", "all of 400", "unknown"],
            await ColumnAsync("SELECT lead_ext_id FROM get_top_opportunities()"));
        Assert.Equal(["tenth of 9000", "half of 1000"], await ColumnAsync("SELECT lead_ext_id FROM get_top_opportunities(2)"));
        Assert.Equal(["tenth of 9000", "half of 1000"], await ColumnAsync("SELECT lead_ext_id FROM get_top_opportunities(p_min_value => 1000)"));
        Assert.Equal(["900.00"], await ColumnAsync("SELECT expected_value FROM get_top_opportunities(1, 0)"));
    }

    [Fact]
    public async Task TopOpportunities_ManyDeals_TwentyByDefault()
    {
        await Db.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source) SELECT 'm' || i, 'organic' FROM generate_series(1, 30) i;
            INSERT INTO sales_pipeline (lead_ext_id, email) SELECT ext_id, 'm@lead.example' FROM leads
            """);

        Assert.Equal(20, (await Db.RowsAsync("SELECT * FROM get_top_opportunities()")).Count);
    }

    [Theory]
    [InlineData(0, 0.81, "CRITICAL")]
    [InlineData(30, 0.81, "CRITICAL")]
    [InlineData(0, 0.8, "HIGH")]
    [InlineData(30, 0.61, "HIGH")]
    [InlineData(0, 0.6, "LOW")]
    [InlineData(15, 0.6, "MEDIUM")]
    [InlineData(15, null, "MEDIUM")]
    [InlineData(14, null, "LOW")]
    [InlineData(7, 0.1, "LOW")]
    [InlineData(6, null, null)]
    [InlineData(6, 0.59, null)]
    public async Task LeadsAtRisk_SilenceAndRisk_DecideListingAndLevel(int days, double? risk, string? level)
    {
        var metadata = risk is null
            ? "{}"
            : string.Create(CultureInfo.InvariantCulture, $$$"""{"ml_predictions": {"risk_score": {{{risk}}}}}""");
        await AddDealAsync("a", "last_contact_at, metadata", $"sales_now() - interval '{days} days', '{metadata}'");

        Assert.Equal(level is null ? [] : [level], await ColumnAsync("SELECT risk_level FROM get_leads_at_risk()"));
    }

    [Fact]
    public async Task LeadsAtRisk_Deals_WorstFirst()
    {
        await AddDealAsync("low", "last_contact_at", "sales_now() - interval '10 days'");
        await AddDealAsync("medium", "last_contact_at", "sales_now() - interval '90 days'");
        await AddDealAsync("high", "metadata", """'{"ml_predictions": {"risk_score": 0.75}}'""");
        await AddDealAsync("critical", "metadata", """'{"ml_predictions": {"risk_score": 0.85}}'""");
        await AddDealAsync("more critical", "metadata", """'{"ml_predictions": {"risk_score": 0.95}}'""");
        await AddDealAsync("won", "stage, last_contact_at", "'closed_won', '2026-01-01'");
        await AddDealAsync("fresh");

        Assert.Equal(
            ["more critical", "critical", "high", "medium", "low"],
            await ColumnAsync("SELECT lead_ext_id FROM get_leads_at_risk()"));
        Assert.Equal(["more critical", "critical", "high", "medium"], await ColumnAsync("SELECT lead_ext_id FROM get_leads_at_risk(30)"));
        Assert.Equal(["more critical", "critical"], await ColumnAsync("SELECT lead_ext_id FROM get_leads_at_risk(1000, 0.8)"));
    }
}
