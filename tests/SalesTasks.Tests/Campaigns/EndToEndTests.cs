using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Campaigns;

/// <summary>Enrol, advance and dispatch as Airflow runs them, against receivers that count.</summary>
public sealed class EndToEndTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const string Steps =
        """
        [{"type": "email", "subject": {"en": "Hello {{ first_name }}", "es": "Hola {{ first_name }}"}, "html": "<p>{{ company_name }}</p>"},
         {"type": "call", "subject": "Call {{ first_name }}", "body": "Ask"},
         {"type": "slack", "body": "Called {{ first_name }}"},
         {"type": "task", "subject": "Write it down", "due_hours": 2},
         {"type": "email", "delay_hours": 24, "subject": "Second", "body": "Again"}]
        """;

    private readonly CampaignRig _rig = new(database);

    public async ValueTask InitializeAsync()
    {
        await _rig.EmptyAsync();
        await database.ExecuteAsync(
            """
            UPDATE sending_policy SET window_days = '{1,2,3,4,5,6,7}', window_start = '00:00', window_end = '24:00', max_per_lead_per_day = 0, max_per_lead_per_week = 0
            """);
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Sequence_ThroughEveryChannel_ArrivesOnceAndStopsOnAReply()
    {
        await using var mail = new HttpSink();
        await using var calls = new HttpSink();
        await using var slack = new HttpSink();
        await using var tasks = new HttpSink();
        var program = ProgramRunner.For(database);
        foreach (var (name, sink) in ((string, HttpSink)[])[("EMAIL", mail), ("CALLS", calls), ("SLACK", slack), ("TASKS", tasks)])
        {
            program = program.With($"SALES_{name}_CONN_ID", $"c_{name}").With($"AIRFLOW_CONN_C_{name}", sink.Connection());
        }

        await _rig.LeadAsync("a", "language = 'es', company_name = 'A & B'");
        await _rig.LeadAsync("b");
        await _rig.CampaignAsync(Steps);
        async Task RunAsync(DateTimeOffset at)
        {
            foreach (var words in (string[][])[["campaigns", "enroll"], ["campaigns", "advance"], ["outbox", "dispatch", "--max-wait-seconds", "0"]])
            {
                (await program.RunAsync([.. words, "--as-of", at.ToString("O")])).ShouldExitWith(ExitCode.Done);
            }
        }

        for (var hour = 0; hour < 5; hour++)
        {
            await RunAsync(CampaignRig.T0.AddHours(hour));
        }

        Assert.Equal((2, 2, 2, 2), (mail.Count, calls.Count, slack.Count, tasks.Count));
        var spanish = mail.Requests.Single(request => request.Json.GetProperty("to").GetString() == "a@acme.example").Json;
        Assert.Equal(("Hola Ana", "<p>A &amp; B</p>", "A & B"), (spanish.GetProperty("subject").GetString(), spanish.GetProperty("html").GetString(), spanish.GetProperty("text").GetString()));
        Assert.Equal("Call Ana", calls.Requests[0].Json.GetProperty("title").GetString());
        Assert.Equal("Called Ana", slack.Requests[0].Json.GetProperty("text").GetString());
        Assert.Equal("Write it down", tasks.Requests[0].Json.GetProperty("title").GetString());
        Assert.Equal(2, await database.ScalarAsync<long>("SELECT count(*) FROM sales_followup_tasks WHERE task_title = 'Write it down'"));

        // The second e-mail is written, and then the lead replies: it is not sent. The other lead's is.
        (await program.RunAsync("campaigns", "advance", "--as-of", CampaignRig.T0.AddHours(5).ToString("O"))).ShouldExitWith(ExitCode.Done);
        (await program.RunAsync("campaigns", "advance", "--as-of", CampaignRig.T0.AddHours(30).ToString("O"))).ShouldExitWith(ExitCode.Done);
        Assert.Equal(2, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages WHERE status = 'pending'"));
        await _rig.ReplyAsync("a", CampaignRig.T0.AddHours(30));
        await RunAsync(CampaignRig.T0.AddHours(31));
        await RunAsync(CampaignRig.T0.AddHours(32));

        Assert.Equal(["b@acme.example"], mail.Requests.Where(request => request.Json.GetProperty("subject").GetString() == "Second").Select(request => request.Json.GetProperty("to").GetString()!));
        Assert.Equal(["a stopped 5/5 - replied", "b completed 5/5 -"], await _rig.ExecutionsAsync());
        Assert.Equal(mail.Count + calls.Count + slack.Count + tasks.Count, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages WHERE status = 'sent'"));
        Assert.Equal(9, mail.Requests.Concat(calls.Requests).Concat(slack.Requests).Concat(tasks.Requests).Select(request => request.Key).Distinct().Count());
    }

    [Fact]
    public async Task DisabledWhileAMessageWaits_IsSentByNobodyAndGoesOnWhenEnabled()
    {
        await using var mail = new HttpSink();
        var program = ProgramRunner.For(database).With("SALES_EMAIL_CONN_ID", "mail").With("AIRFLOW_CONN_MAIL", mail.Connection());
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.OneEmail, name: "Mail");
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();
        // By hand, past the command: the dispatcher meets the message of a disabled campaign.
        await database.ExecuteAsync("UPDATE sales_campaigns SET enabled = false");
        (await program.RunAsync("outbox", "dispatch", "--max-wait-seconds", "0")).ShouldExitWith(ExitCode.Done);
        Assert.Equal(0, mail.Count);

        (await program.RunAsync("campaigns", "enable", "Mail")).ShouldExitWith(ExitCode.Done);
        (await program.RunAsync("campaigns", "advance")).ShouldExitWith(ExitCode.Done);
        (await program.RunAsync("outbox", "dispatch", "--max-wait-seconds", "0")).ShouldExitWith(ExitCode.Done);
        Assert.Equal(1, mail.Count);
        await _rig.AdvanceAsync(TimeProvider.System.GetUtcNow().AddMinutes(1));
        Assert.Equal(["a completed 1/1 -"], await _rig.ExecutionsAsync());
    }
}
