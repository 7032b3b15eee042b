using System.Text.Json;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Reports;

/// <summary>
/// Every table against plain questions about the same data, one at a time, written in another way than the product's statements: what is
/// counted in one pass there is asked row by row here.
/// </summary>
public sealed class NumbersTests(SampleReport sample) : IClassFixture<SampleReport>
{
    /// <summary>Bounds of the week as text, for the questions: a period holds its start and not its end.</summary>
    private const string Before = "timestamptz '2026-03-02Z'";
    private const string From = "timestamptz '2026-03-09Z'";
    private const string To = "timestamptz '2026-03-16Z'";

    [Fact]
    public async Task Indicators_OfTheWeekAndTheOneBefore_AreWhatTheTablesSay()
    {
        var rows = (await sample.Rig.TableAsync("indicators")).ToDictionary(row => row.Text("indicator"), StringComparer.Ordinal);

        foreach (var (suffix, from, to) in new[] { ("", From, To), ("previous_", Before, From) })
        {
            double? Value(string indicator) => rows[indicator].Number(suffix.Length == 0 ? "value" : "previous");
            double? Sample(string indicator) => rows[indicator].Number(suffix + "sample");
            var won = await CountAsync($"sales_pipeline WHERE stage = 'closed_won' AND closed_at >= {from} AND closed_at < {to}");
            var lost = await CountAsync($"sales_pipeline WHERE stage = 'closed_lost' AND closed_at >= {from} AND closed_at < {to}");
            var open = $"qualified_at < {to} AND coalesce(closed_at, 'infinity') >= {to}";
            Same(await NumberAsync($"SELECT sum(estimated_value * probability_pct) / 100.0 FROM sales_pipeline WHERE {open}"), Value("weighted_pipeline"));
            Same(await CountAsync("sales_pipeline WHERE " + open), Sample("weighted_pipeline"));
            Same(won + lost, Sample("win_rate"));
            Same(won / (won + lost), Value("win_rate"));
            var worked = await CountAsync("sales_pipeline WHERE " + open) + won + lost;
            Same(worked, Sample("conversion_rate"));
            Same(won / worked, Value("conversion_rate"));
            var days = await sample.Database.QueryAsync(
                $"SELECT (extract(epoch FROM closed_at) - extract(epoch FROM qualified_at))::float8 / 86400 FROM sales_pipeline WHERE stage = 'closed_won' AND closed_at >= {from} AND closed_at < {to}",
                row => row.GetDouble(0));
            Same(Median(days), Value("time_to_close"));
            var due = await CountAsync($"sales_followup_tasks WHERE due_date >= {from} AND due_date < {to} AND status IN ('pending', 'in_progress', 'completed')");
            var onTime = await CountAsync($"sales_followup_tasks WHERE due_date >= {from} AND due_date < {to} AND status = 'completed' AND completed_at <= due_date");
            Same(due, Sample("tasks_on_time"));
            Same(onTime / due, Value("tasks_on_time"));
            Interval(rows["tasks_on_time"], suffix.Length == 0 ? "low" : "previous_low", suffix.Length == 0 ? "high" : "previous_high", onTime, due);
        }

        Assert.All(rows.Values, row => Same(row.Number("value") - row.Number("previous"), row.Number("change")));
        // Newcombe's method 10 for the difference of two shares.
        var share = rows["tasks_on_time"];
        double N(string name) => share.Number(name)!.Value;
        Same(N("change") - Math.Sqrt(Math.Pow(N("value") - N("low"), 2) + Math.Pow(N("previous_high") - N("previous"), 2)), share.Number("change_low"));
        Same(N("change") + Math.Sqrt(Math.Pow(N("high") - N("value"), 2) + Math.Pow(N("previous") - N("previous_low"), 2)), share.Number("change_high"));
        Assert.Equal(N("change_low") > 0 || N("change_high") < 0, share.GetProperty("credible").GetBoolean());
        Assert.Equal(JsonValueKind.Null, rows["weighted_pipeline"].GetProperty("low").ValueKind);
    }

    [Fact]
    public async Task Trend_EachWeek_IsWhatHappenedInIt()
    {
        var rows = await sample.Rig.TableAsync("trend");

        Assert.Equal(13, rows.Count);
        Assert.Equal(ReportsRig.WeekStart, rows[^1].GetProperty("period_start").GetDateTimeOffset());
        for (var i = 0; i < rows.Count; i++)
        {
            var start = ReportsRig.WeekStart.AddDays(7 * (i - 12));
            Assert.Equal(start, rows[i].GetProperty("period_start").GetDateTimeOffset());
            var within = $">= '{start:O}' AND {{0}} < '{start.AddDays(7):O}'";
            string In(string column) => $"{column} {string.Format(System.Globalization.CultureInfo.InvariantCulture, within, column)}";
            Same(await CountAsync($"leads WHERE {In("created_at")}"), rows[i].Number("new_leads"));
            Same(await CountAsync($"sales_pipeline WHERE {In("qualified_at")}"), rows[i].Number("qualified"));
            var won = await CountAsync($"sales_pipeline WHERE stage = 'closed_won' AND {In("closed_at")}");
            var lost = await CountAsync($"sales_pipeline WHERE stage = 'closed_lost' AND {In("closed_at")}");
            Same(won, rows[i].Number("won"));
            Same(lost, rows[i].Number("lost"));
            Same(await NumberAsync($"SELECT coalesce(sum(estimated_value), 0) FROM sales_pipeline WHERE stage = 'closed_won' AND {In("closed_at")}"), rows[i].Number("won_value"));
            Interval(rows[i], "win_rate_low", "win_rate_high", won, won + lost);
        }
    }

    [Fact]
    public async Task Funnel_OfNinetyDays_IsWhatEachDealsHistorySays()
    {
        string[] stages = ["qualified", "contacted", "meeting_scheduled", "proposal_sent", "negotiating", "closed_won", "closed_lost"];
        var deals = await sample.Database.QueryAsync(
            $"SELECT id, stage::text, closed_at < {To}, estimated_value::float8 FROM sales_pipeline WHERE qualified_at >= {To} - interval '90 days' AND qualified_at < {To}",
            row => (Id: row.GetInt64(0), Stage: row.GetString(1), Closed: !row.IsDBNull(2) && row.GetBoolean(2), Value: row.IsDBNull(3) ? 0 : row.GetDouble(3)));
        var history = (await sample.Database.QueryAsync(
            $"SELECT pipeline_id, to_stage::text, changed_at FROM sales_stage_history WHERE changed_at < {To} ORDER BY changed_at, id",
            row => (Deal: row.GetInt64(0), Stage: Array.IndexOf(stages, row.GetString(1)), At: row.GetFieldValue<DateTimeOffset>(2)))).ToLookup(h => h.Deal);
        var reached = new double[7];
        var atEnd = new double[7];
        var value = new double[7];
        var stay = Enumerable.Range(0, 7).Select(_ => new List<(long Deal, double Days)>()).ToList();
        foreach (var deal in deals)
        {
            var visits = history[deal.Id].ToList();
            var furthest = deal is { Closed: true, Stage: "closed_won" } ? 5 : visits.Where(v => v.Stage < 5).Select(v => v.Stage).DefaultIfEmpty(0).Max();
            for (var stage = 0; stage <= furthest; stage++)
            {
                reached[stage]++;
            }

            reached[6] += deal is { Closed: true, Stage: "closed_lost" } ? 1 : 0;
            var now = deal.Closed ? Array.IndexOf(stages, deal.Stage) : visits.Count > 0 && visits[^1].Stage < 5 ? visits[^1].Stage : 0;
            atEnd[now]++;
            value[now] += deal.Value;
            for (var v = 0; v < visits.Count; v++)
            {
                stay[visits[v].Stage].Add((deal.Id, ((v + 1 < visits.Count ? visits[v + 1].At : ReportsRig.WeekEnd) - visits[v].At).TotalDays));
            }
        }

        var rows = await sample.Rig.TableAsync("funnel");
        Assert.Equal(stages, rows.Select(row => row.Text("stage")));
        Assert.True(reached[5] > 0 && reached[6] > 0 && atEnd[2] > 0, "The sample has deals everywhere.");
        for (var stage = 0; stage < 7; stage++)
        {
            Same(reached[stage], rows[stage].Number("reached"));
            Same(atEnd[stage], rows[stage].Number("at_end"));
            Same(value[stage], rows[stage].Number("value_at_end"));
            Same(stage is 0 ? null : reached[stage] / reached[stage is 6 ? 0 : stage - 1], rows[stage].Number("share_of_previous"));
            Same(
                stage >= 5 || stay[stage].Count == 0 ? null : stay[stage].Sum(s => s.Days) / stay[stage].Select(s => s.Deal).Distinct().Count(),
                rows[stage].Number("average_days"));
        }
    }

    [Fact]
    public async Task Reps_EachOne_HasTheirDealsAndTasks()
    {
        var rows = await sample.Rig.TableAsync("reps");

        Assert.True(rows.Count > 3);
        var won = $"stage = 'closed_won' AND closed_at >= {From} AND closed_at < {To}";
        var lost = $"stage = 'closed_lost' AND closed_at >= {From} AND closed_at < {To}";
        foreach (var row in rows)
        {
            var email = row.GetProperty("assigned_to").ValueKind is JsonValueKind.Null ? null : row.Text("assigned_to");
            var his = email is null ? "assigned_to IS NULL" : $"assigned_to = '{email}'";
            var (w, l) = (await CountAsync($"sales_pipeline WHERE {his} AND {won}"), await CountAsync($"sales_pipeline WHERE {his} AND {lost}"));
            Same(w, row.Number("won"));
            Same(l, row.Number("lost"));
            Interval(row, "win_rate_low", "win_rate_high", w, w + l);
            Same(await NumberAsync($"SELECT coalesce(sum(estimated_value), 0) FROM sales_pipeline WHERE {his} AND {won}"), row.Number("won_value"));
            Same(await CountAsync($"sales_pipeline WHERE {his} AND qualified_at < {To} AND (closed_at IS NULL OR closed_at >= {To})"), row.Number("open_deals"));
            const string OfTask = "sales_followup_tasks t WHERE coalesce(t.assigned_to, (SELECT p.assigned_to FROM sales_pipeline p WHERE p.id = t.pipeline_id))";
            var tasks = $"{OfTask} IS NOT DISTINCT FROM {(email is null ? "NULL" : $"'{email}'")} AND t.status <> ALL ('{{skipped,cancelled}}')";
            var due = await CountAsync($"{tasks} AND t.due_date >= {From} AND t.due_date < {To}");
            Same(due, row.Number("tasks_due"));
            Interval(
                row, "tasks_on_time_low", "tasks_on_time_high",
                await CountAsync($"{tasks} AND t.due_date >= {From} AND t.due_date < {To} AND t.completed_at <= t.due_date"), due);
            Same(await CountAsync($"{tasks} AND t.due_date < {To} AND coalesce(t.completed_at, 'infinity') >= {To}"), row.Number("overdue_tasks"));
            Assert.Equal(email is null ? null : await sample.Database.ScalarAsync<string>("SELECT name FROM sales_reps WHERE email = @email", ("email", email)), row.GetProperty("rep").GetString());
        }

        Same(await CountAsync($"sales_pipeline WHERE {won}"), rows.Sum(row => row.Number("won")));
        Assert.Equal(rows.OrderByDescending(row => row.Number("won_value")).First().Text("assigned_to"), rows[0].Text("assigned_to"));
    }

    [Fact]
    public async Task Sources_EachOne_HasItsLeadsAndDeals()
    {
        var rows = await sample.Rig.TableAsync("sources");

        Assert.True(rows.Count > 3);
        foreach (var row in rows)
        {
            var of = $"lead_ext_id IN (SELECT ext_id FROM leads WHERE source = '{row.Text("source")}')";
            Same(await CountAsync($"leads WHERE source = '{row.Text("source")}' AND created_at >= {From} AND created_at < {To}"), row.Number("new_leads"));
            Same(await CountAsync($"leads WHERE source = '{row.Text("source")}' AND created_at >= {Before} AND created_at < {From}"), row.Number("new_leads_before"));
            Same(await CountAsync($"sales_pipeline WHERE {of} AND qualified_at >= {From} AND qualified_at < {To}"), row.Number("qualified"));
            var won = await CountAsync($"sales_pipeline WHERE {of} AND stage = 'closed_won' AND closed_at >= {From} AND closed_at < {To}");
            var lost = await CountAsync($"sales_pipeline WHERE {of} AND stage = 'closed_lost' AND closed_at >= {From} AND closed_at < {To}");
            Same(won, row.Number("won"));
            Same(lost, row.Number("lost"));
            Interval(row, "win_rate_low", "win_rate_high", won, won + lost);
            Same(await NumberAsync($"SELECT coalesce(sum(estimated_value), 0) FROM sales_pipeline WHERE {of} AND stage = 'closed_won' AND closed_at >= {From} AND closed_at < {To}"), row.Number("won_value"));
        }

        Same(await CountAsync($"leads WHERE created_at >= {From} AND created_at < {To}"), rows.Sum(row => row.Number("new_leads")));
    }

    [Fact]
    public async Task Scoring_EachWeek_IsWhatWasCalculatedInIt()
    {
        var rows = await sample.Rig.TableAsync("scoring");

        Assert.Equal(13, rows.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            var start = ReportsRig.WeekStart.AddDays(7 * (i - 12));
            var scores = $"lead_score_history WHERE calculated_at >= '{start:O}' AND calculated_at < '{start.AddDays(7):O}'";
            var all = await CountAsync(scores);
            Same(all, rows[i].Number("calculated"));
            Same(await CountAsync(scores + " AND previous_score IS NULL"), rows[i].Number("first_time"));
            Same(await CountAsync(scores + " AND previous_score IS NOT NULL AND score_change > 0"), rows[i].Number("raised"));
            Same(await CountAsync(scores + " AND previous_score IS NOT NULL AND score_change < 0"), rows[i].Number("lowered"));
            Same(await NumberAsync("SELECT avg(score) FROM " + scores), rows[i].Number("average_score"));
            Interval(rows[i], "high_share_low", "high_share_high", await CountAsync(scores + " AND priority IN ('high', 'urgent')"), all);
        }

        Assert.True(rows.Sum(row => row.Number("calculated")) > 100);
    }

    [Fact]
    public async Task Tasks_EachType_IsWhatTheTasksSay()
    {
        var rows = await sample.Rig.TableAsync("tasks");

        Assert.True(rows.Count > 1);
        foreach (var row in rows)
        {
            var tasks = $"sales_followup_tasks WHERE task_type = '{row.Text("task_type")}'";
            var due = $"{tasks} AND due_date >= {From} AND due_date < {To} AND status IN ('pending', 'in_progress', 'completed')";
            Same(await CountAsync($"{tasks} AND created_at >= {From} AND created_at < {To}"), row.Number("created"));
            Same(await CountAsync(due), row.Number("due"));
            Same(await CountAsync(due + " AND completed_at <= due_date"), row.Number("on_time"));
            Same(await CountAsync(due + $" AND completed_at > due_date AND completed_at < {To}"), row.Number("late"));
            Interval(row, "on_time_low", "on_time_high", await CountAsync(due + " AND completed_at <= due_date"), await CountAsync(due));
            Same(
                await CountAsync($"{tasks} AND due_date < {To} AND status IN ('pending', 'in_progress', 'completed') AND (completed_at IS NULL OR completed_at >= {To})"),
                row.Number("overdue"));
        }
    }

    [Fact]
    public async Task Campaigns_EachOne_HasItsMessagesAndReplies()
    {
        var rows = await sample.Rig.TableAsync("campaigns");

        Assert.NotEmpty(rows);
        foreach (var row in rows)
        {
            var id = await sample.Database.ScalarAsync<long>("SELECT id FROM sales_campaigns WHERE name = @name", ("name", row.Text("campaign")));
            Same(await CountAsync($"sales_campaign_executions WHERE campaign_id = {id} AND started_at >= {From} AND started_at < {To}"), row.Number("entered"));
            Same(await CountAsync($"sales_campaign_executions WHERE campaign_id = {id} AND status = 'completed' AND completed_at >= {From} AND completed_at < {To}"), row.Number("completed"));
            var messages = await MessagesAsync($"x.campaign_id = {id}");
            var sent = messages.Where(m => m.At >= ReportsRig.WeekStart && m.At < ReportsRig.WeekEnd).ToList();
            Same(sent.Count(m => m.Type == "email_sent"), row.Number("emails"));
            Same(sent.Count(m => m.Type == "call_made"), row.Number("calls"));
            var replied = await RepliedAsync(messages);
            var answered = sent.Count(replied.Contains);
            Same(answered, row.Number("replied"));
            Interval(row, "reply_low", "reply_high", answered, sent.Count);
        }
    }

    [Fact]
    public async Task Variants_EachStepThatHasSome_AreComparedWithTheFirst()
    {
        var messages = await MessagesAsync("true");
        var replied = await RepliedAsync(messages);
        var expected = messages.Where(m => m.At < ReportsRig.WeekEnd).GroupBy(m => (m.Campaign, m.Step)).Where(step => step.Select(m => m.Variant).Distinct().Count() > 1)
            .SelectMany(step => step.GroupBy(m => m.Variant, StringComparer.Ordinal).Select(variant =>
                $"{step.Key.Campaign}/{step.Key.Step}/{variant.Key}: {variant.Count()}, {variant.Count(replied.Contains)}"))
            .Order(StringComparer.Ordinal);

        var rows = await sample.Rig.TableAsync("campaign_variants");

        Assert.NotEmpty(rows);
        Assert.Equal(
            expected,
            rows.Select(row => $"{row.Text("campaign")}/{row.Number("step")}/{row.Text("variant")}: {row.Number("sent")}, {row.Number("replied")}").Order(StringComparer.Ordinal));
        foreach (var step in rows.GroupBy(row => (row.Text("campaign"), row.Number("step"))))
        {
            var first = step.OrderBy(row => row.Text("variant"), StringComparer.Ordinal).First();
            Assert.All(step, row => Same(
                row.Text("variant") == first.Text("variant") ? null : row.Number("reply_share") - first.Number("reply_share"), row.Number("difference")));
        }
    }

    [Fact]
    public async Task Forecast_OpenDealsAndHistory_AreThoseOfTheTables()
    {
        var row = Assert.Single(await sample.Rig.TableAsync("forecast"));

        Assert.Equal(ReportsRig.WeekEnd, row.GetProperty("period_start").GetDateTimeOffset());
        var open = $"sales_pipeline WHERE qualified_at < {To} AND (closed_at IS NULL OR closed_at >= {To})";
        Same(await CountAsync(open), row.Number("open_deals"));
        Same(await NumberAsync("SELECT sum(estimated_value) FROM " + open), row.Number("open_value"));
        Assert.True(row.Number("low") < row.Number("expected") && row.Number("expected") < row.Number("high"));
        Assert.InRange(row.Number("expected_wins")!.Value, 0.01, row.Number("open_deals")!.Value);
    }

    /// <summary>Messages that went out, by campaign, with the variant they were of.</summary>
    private Task<List<Message>> MessagesAsync(string condition) => sample.Database.QueryAsync(
        $"""
        SELECT v.id, c.name, v.step_number, coalesce(v.metadata ->> 'variant', x.metadata ->> 'variant', ''), v.event_type, v.executed_at, v.execution_id, v.lead_ext_id
        FROM sales_campaign_events v JOIN sales_campaign_executions x ON x.id = v.execution_id JOIN sales_campaigns c ON c.id = x.campaign_id
        WHERE v.event_type IN ('email_sent', 'call_made') AND v.status IN ('sent', 'delivered', 'completed') AND v.executed_at IS NOT NULL AND {condition}
        ORDER BY v.executed_at, v.step_number, v.id
        """,
        row => new Message(
            row.GetInt64(0), row.GetString(1), row.GetInt32(2), row.GetString(3), row.GetString(4), row.GetFieldValue<DateTimeOffset>(5), row.GetInt64(6), row.GetString(7)));

    /// <summary>Those that were answered before the next one, within 14 days, and before the week's end.</summary>
    private async Task<HashSet<Message>> RepliedAsync(List<Message> messages)
    {
        var replies = (await sample.Database.QueryAsync(
            "SELECT lead_ext_id, occurred_at FROM lead_engagement_events WHERE event_type = 'reply' AND NOT is_bot",
            row => (Lead: row.GetString(0), At: row.GetFieldValue<DateTimeOffset>(1)))).ToLookup(reply => reply.Lead, reply => reply.At);
        return
        [
            .. messages.Where(message =>
            {
                DateTimeOffset[] ends = [message.At.AddDays(14), ReportsRig.WeekEnd, .. messages.Where(next => next.Execution == message.Execution && messages.IndexOf(next) > messages.IndexOf(message)).Select(next => next.At)];
                return replies[message.Lead].Any(at => at >= message.At && at < ends.Min());
            }),
        ];
    }

    private async Task<double> CountAsync(string from) => await sample.Database.ScalarAsync<long>("SELECT count(*) FROM " + from);

    private async Task<double?> NumberAsync(string sql) => await sample.Database.ScalarAsync<double?>($"SELECT ({sql})::float8");

    private static double? Median(List<double> values)
    {
        values.Sort();
        return values.Count == 0 ? null : (values[(values.Count - 1) / 2] + values[values.Count / 2]) / 2;
    }

    private static void Same(double? expected, double? actual) =>
        Assert.True(
            expected is null ? actual is null : actual is { } number && Math.Abs(expected.Value - number) <= 1e-6 * Math.Max(1, Math.Abs(expected.Value)),
            $"expected {expected}, reported {actual}");

    /// <summary>Wilson's interval by its formula.</summary>
    private static void Interval(JsonElement row, string low, string high, double successes, double total)
    {
        if (total == 0)
        {
            Assert.True(row.Number(low) is null && row.Number(high) is null);
            return;
        }

        const double Z = 1.959964;
        var share = successes / total;
        var middle = (share + (Z * Z / (2 * total))) / (1 + (Z * Z / total));
        var half = Z / (1 + (Z * Z / total)) * Math.Sqrt((share * (1 - share) / total) + (Z * Z / (4 * total * total)));
        Assert.Equal(middle - half, row.Number(low)!.Value, 1e-5);
        Assert.Equal(middle + half, row.Number(high)!.Value, 1e-5);
    }

    private sealed record Message(long Id, string Campaign, int Step, string Variant, string Type, DateTimeOffset At, long Execution, string Lead);
}

/// <summary>A database with the sample and the report of its last week.</summary>
public sealed class SampleReport(PostgresServer server) : IAsyncLifetime
{
    internal TestDatabase Database { get; private set; } = null!;

    internal ReportsRig Rig { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync(server);
        Rig = new ReportsRig(Database);
        await Rig.LoadSampleAsync();
        await Rig.BuildAsync();
    }

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}

internal static class JsonRows
{
    public static string Text(this JsonElement row, string name) => row.GetProperty(name).GetString()!;
}
