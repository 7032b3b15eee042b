using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Outbox;

/// <summary>What is decided about a message when its turn comes, from what other parts of the program have written meanwhile.</summary>
public sealed class JudgementTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = OutboxRig.T0;

    private readonly OutboxRig _rig = new OutboxRig(database).InProcess();

    public async ValueTask InitializeAsync()
    {
        await _rig.ClearAsync();
        await database.ExecuteAsync("DELETE FROM sending_policy; INSERT INTO sending_policy DEFAULT VALUES");
        await _rig.AlwaysOpenAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Reply_WrittenAsAnEventOfTheCampaign_StopsTheMessage()
    {
        await using var sink = new HttpSink();
        await _rig.AddLeadsAsync("l", 2);
        await _rig.AddCampaignEmailsAsync("l", "a");
        await database.ExecuteAsync(
            """
            INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type, status)
            SELECT id, lead_ext_id, 1, 'email_replied', 'completed' FROM sales_campaign_executions WHERE lead_ext_id = 'l1'
            """);

        (await _rig.With("EMAIL", sink.Connection()).DispatchAsync("--as-of", $"{T0:O}")).ShouldExitWith(ExitCode.Done);

        Assert.Equal("cancelled 1, sent 1", await _rig.StatesAsync());
        Assert.Equal("replied", await database.ScalarAsync<string>("SELECT reason FROM outbox_messages WHERE lead_ext_id = 'l1'"));
    }

    [Fact]
    public async Task Call_ThatNobodyCanMake_HoldsNoEmailUp()
    {
        await using var sink = new HttpSink();
        await _rig.AddLeadsAsync("l", 3);
        await _rig.AddCampaignEmailsAsync("l", "calls", "call");
        await _rig.AddCampaignEmailsAsync("l", "mails");

        (await _rig.With("EMAIL", sink.Connection()).DispatchAsync("--as-of", $"{T0:O}")).ShouldExitWith(ExitCode.Done);

        Assert.Equal("pending 3, sent 3", await _rig.StatesAsync());
    }

    [Theory]
    [InlineData("call", "followup-call/1", "followup")]
    [InlineData("task", "followup-task/1", "notice")]
    public async Task Message_AboutATaskThatIsDone_IsCancelled(string channel, string key, string purpose)
    {
        await using var sink = new HttpSink();
        await _rig.AddLeadsAsync("l", 1);
        await database.ExecuteAsync(
            """
            INSERT INTO sales_followup_tasks (id, pipeline_id, lead_ext_id, task_type, task_title)
            SELECT 1, id, lead_ext_id, 'call', 'Call' FROM sales_pipeline
            """);
        await _rig.AddAsync(key, channel, """{"title": "Call"}""", "+34600000001", purpose, "l1");
        // As where a dispatcher held it while the task was closed, and it came back.
        await database.ExecuteAsync(
            """
            UPDATE outbox_messages SET status = 'leased', lease_token = gen_random_uuid(), lease_until = now(), not_before = '2026-01-01';
            UPDATE sales_followup_tasks SET status = 'completed';
            UPDATE outbox_messages SET status = 'pending', lease_token = NULL, lease_until = NULL
            """);

        (await _rig.With("CALLS", sink.Connection()).With("TASKS", sink.Connection()).DispatchAsync("--as-of", $"{T0:O}")).ShouldExitWith(ExitCode.Done);

        Assert.Equal(("cancelled", "task_closed"), await _rig.StateAsync(key));
        Assert.Equal(0, sink.Count);
    }

    [Fact]
    public async Task Policy_Changed_IsFollowedByWhatWaits()
    {
        await using var sink = new HttpSink();
        await _rig.AddLeadsAsync("l", 1);
        await _rig.AddCampaignEmailsAsync("l", "a");
        await database.ExecuteAsync(
            """
            UPDATE sending_policy SET window_days = '{1,2,3,4,5}', window_start = '09:00', window_end = '18:00';
            UPDATE outbox_messages SET time_zone = 'UTC', window_days = '{1,2,3,4,5}', window_start = '09:00', window_end = '18:00', not_before = '2027-01-01';
            UPDATE sending_policy SET window_days = '{1,2,3,4,5,6,7}', window_start = '00:00', window_end = '24:00'
            """);
        // A sending on a Sunday, which the policy now allows.
        var sunday = T0.AddYears(2);
        sunday = sunday.AddDays(7 - (int)sunday.DayOfWeek);

        (await _rig.With("EMAIL", sink.Connection()).DispatchAsync("--as-of", $"{sunday:O}")).ShouldExitWith(ExitCode.Done);

        Assert.Equal("sent 1", await _rig.StatesAsync());
        Assert.Null(await database.ScalarAsync<string>("SELECT time_zone FROM outbox_messages"));
    }
}
