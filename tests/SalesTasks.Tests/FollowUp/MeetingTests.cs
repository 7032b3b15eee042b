using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.FollowUp;

/// <summary>When the preparation of a meeting is due: before it, and never in the past.</summary>
public sealed class MeetingTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = FollowUpRig.T0;

    private readonly FollowUpRig _rig = new(database);

    public async ValueTask InitializeAsync()
    {
        await database.WorkAtAsync(T0);
        await _rig.EmptyAsync();
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Theory]
    // A day before the meeting; at once where that has passed, or where no time is known.
    [InlineData("2026-03-21T10:00:00Z", null, "meeting_preparation +48")]
    [InlineData("2026-03-19T10:00:00Z", null, "meeting_preparation +0")]
    [InlineData("2026-03-18T10:00:01Z", null, "meeting_preparation +0")]
    [InlineData(null, null, "meeting_preparation +0")]
    [InlineData(null, 72, "meeting_preparation +48")]
    [InlineData(null, 2, "meeting_preparation +0")]
    // The next one counts.
    [InlineData("2026-03-21T10:00:00Z", 96, "meeting_preparation +48")]
    [InlineData("2026-03-23T10:00:00Z", 72, "meeting_preparation +48")]
    [InlineData("2026-03-10T10:00:00Z", 72, "meeting_preparation +48")]
    // A task that was due in the past may have been to arrange the meeting; a meeting in the past is over.
    [InlineData(null, -72, "meeting_preparation +0")]
    [InlineData("2026-03-18T09:59:59Z", null, "meeting_follow_up +0")]
    [InlineData("2026-03-18T09:59:59Z", -72, "meeting_follow_up +0")]
    // Offsets, spaces, days; what is no instant is not known.
    [InlineData("2026-03-21 13:00+03:00", null, "meeting_preparation +48")]
    [InlineData("2026-03-21T10:00", null, "meeting_preparation +48")]
    [InlineData("2026-03-22", null, "meeting_preparation +62")]
    [InlineData("soon", null, "meeting_preparation +0")]
    [InlineData("2026-02-31T10:00:00Z", null, "meeting_preparation +0")]
    [InlineData("2026-03-21T25:00:00Z", null, "meeting_preparation +0")]
    [InlineData("infinity", null, "meeting_preparation +0")]
    [InlineData("03/21/2026", null, "meeting_preparation +0")]
    public async Task Preparation_Always_IsDueADayBeforeTheNextMeeting(string? meetingAt, int? taskDueInHours, string expected)
    {
        await _rig.AddDealAsync("a", "meeting_scheduled");
        await database.ExecuteAsync(
            "UPDATE sales_pipeline SET metadata = CASE WHEN @at::text IS NOT NULL THEN jsonb_build_object('meeting_at', @at::text) END", ("at", meetingAt));
        if (taskDueInHours is { } hours)
        {
            // Completed: arranged. (An open one is a person's task of another type, which ends the silence.)
            await _rig.AddTaskAsync("a", "meeting", "completed", T0.AddHours(hours), T0.AddHours(-1));
            await _rig.AdvanceAsync();
            await database.ExecuteAsync("UPDATE sales_pipeline SET next_followup_at = '2026-03-01'");
        }

        await _rig.CreateAsync();

        Assert.Equal(
            [expected],
            await database.QueryAsync(
                "SELECT format('%s +%s', metadata ->> 'template', (extract(epoch FROM due_date - @t0) / 3600)::int) FROM sales_followup_tasks WHERE followup_stage IS NOT NULL",
                row => row.GetString(0),
                ("t0", T0)));
    }

    [Fact]
    public async Task Preparation_OfAnOddDocument_IsMade()
    {
        foreach (var (lead, metadata) in ((string, string)[])
            [("array", "[]"), ("text", "\"x\""), ("number", """{"meeting_at": 5}"""), ("object", """{"meeting_at": {"at": 1}}"""), ("null", """{"meeting_at": null}""")])
        {
            await _rig.AddDealAsync(lead, "meeting_scheduled");
            await database.ExecuteAsync("UPDATE sales_pipeline SET metadata = @metadata::jsonb WHERE lead_ext_id = @lead", ("metadata", metadata), ("lead", lead));
        }

        Assert.Equal(5, (await _rig.CreateAsync())["created"]);
    }

    [Fact]
    public async Task Preparation_OfRandomMeetings_IsNeverInThePastAndAlwaysBeforeThem()
    {
        await _rig.AddDealAsync("seed");
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, email) SELECT 'm' || i, 'x', 'm' || i || '@acme.example' FROM generate_series(1, 500) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, metadata)
            SELECT 'm' || i, 'm@acme.example', 'meeting_scheduled',
              jsonb_build_object('meeting_at', sales_now() + make_interval(secs => (hashint4(i) % 864000)))
            FROM generate_series(1, 500) AS i
            """);

        Assert.Equal(501, (await _rig.CreateAsync())["created"]);

        Assert.Equal(
            0,
            await database.ScalarAsync<long>(
                """
                SELECT count(*)
                FROM sales_followup_tasks t JOIN sales_pipeline p ON p.id = t.pipeline_id
                WHERE p.stage = 'meeting_scheduled' AND (t.due_date < @t0
                  OR ((p.metadata ->> 'meeting_at')::timestamptz > @t0 AND (t.due_date >= (p.metadata ->> 'meeting_at')::timestamptz OR t.metadata ->> 'template' <> 'meeting_preparation'))
                  OR ((p.metadata ->> 'meeting_at')::timestamptz <= @t0 AND t.metadata ->> 'template' <> 'meeting_follow_up'))
                """,
                ("t0", T0)));
        Assert.True(await database.ScalarAsync<long>("SELECT count(DISTINCT due_date) FROM sales_followup_tasks") > 150);
    }

    [Fact]
    public async Task Meeting_Moved_MovesItsPreparationUnlessItHasBegun()
    {
        foreach (var lead in (string[])["moved", "begun", "by-hand"])
        {
            await _rig.AddDealAsync(lead, "meeting_scheduled", """metadata = '{"meeting_at": "2026-03-25T10:00:00Z"}'""");
        }

        await _rig.CreateAsync();
        await database.ExecuteAsync(
            """
            UPDATE sales_followup_tasks SET status = 'in_progress' WHERE lead_ext_id = 'begun';
            UPDATE sales_followup_tasks SET due_date = '2026-03-20' WHERE lead_ext_id = 'by-hand';
            UPDATE sales_pipeline SET metadata = '{"meeting_at": "2026-03-20T10:00:00Z"}' WHERE lead_ext_id <> 'by-hand';
            UPDATE sales_pipeline SET metadata = metadata || '{"note": 1}' WHERE lead_ext_id = 'by-hand';
            """);

        Assert.Equal(1, (await _rig.CreateAsync(T0.AddHours(1)))["replanned"]);
        Assert.Equal(0, (await _rig.CreateAsync(T0.AddHours(1)))["replanned"]);
        Assert.Equal(
            ["begun 2026-03-24 10:00", "by-hand 2026-03-20 00:00", "moved 2026-03-19 10:00"],
            await database.QueryAsync(
                "SELECT lead_ext_id || ' ' || to_char(due_date AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM sales_followup_tasks ORDER BY 1", row => row.GetString(0)));

        // To the near future: at once, not in the past. By a meeting task this time.
        await _rig.AddTaskAsync("moved", "meeting", due: T0.AddHours(6));
        Assert.Equal(1, (await _rig.CreateAsync(T0.AddHours(2)))["replanned"]);
        Assert.Equal(T0.AddHours(2).UtcDateTime, await DueAsync("moved"));
        await database.ExecuteAsync("UPDATE sales_followup_tasks SET due_date = @at WHERE task_type = 'meeting'", ("at", T0.AddHours(30)));
        Assert.Equal(1, (await _rig.CreateAsync(T0.AddHours(3)))["replanned"]);
        Assert.Equal(T0.AddHours(6).UtcDateTime, await DueAsync("moved"));
    }

    private Task<DateTime> DueAsync(string lead) => database.ScalarAsync<DateTime>(
        "SELECT due_date FROM sales_followup_tasks WHERE lead_ext_id = @lead AND followup_stage IS NOT NULL", ("lead", lead));
}
