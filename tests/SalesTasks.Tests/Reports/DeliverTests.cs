using System.Text;
using MimeKit;
using SalesTasks.Reports;
using SalesTasks.Tests.Outbox;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Reports;

/// <summary><c>reports deliver</c> and what its messages carry.</summary>
public sealed class DeliverTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly ReportsRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Folder_InAnotherContainer_GetsTheStoredBytes()
    {
        await _rig.LoadSampleAsync(120);
        await _rig.BuildAsync();
        using var folder = new ReportFolderOfTest();

        var first = await _rig.DeliverAsync("--output", folder.Path);
        var second = await _rig.DeliverAsync("--output", folder.Path);

        Assert.Equal((17, 0), (first.Count("files"), second.Count("files")));
        Assert.Equal("nothing_to_do", second.GetProperty("status").GetString());
        Assert.Equal(await _rig.FileAsync("report-en.html"), await File.ReadAllBytesAsync(first.Detail("page"), TestContext.Current.CancellationToken));
        Assert.Equal(17, Directory.EnumerateFiles(Path.GetDirectoryName(first.Detail("page"))!).Count());
    }

    [Fact]
    public async Task Messages_RunTwiceAndByTwo_AreWrittenOnceAVersionAndReceiver()
    {
        await _rig.LoadSampleAsync(200);
        await _rig.MakeHostileAsync();
        await _rig.BuildAsync();
        string[] flags = ["--slack", "--email-recipients", "Boss@acme.example, second@acme.example,boss@ACME.example"];

        var dry = await _rig.DeliverAsync(["--dry-run", .. flags]);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages"));
        var results = await TwoRunners.RunAsync(
            () => ProgramRunner.For(database).Start(["reports", "deliver", "--as-of", ReportsRig.Now.ToString("O"), .. flags]),
            async () => Assert.Equal(3, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages WHERE purpose = 'report'")));
        var again = await _rig.DeliverAsync(flags);

        Assert.Equal((2, 1), (dry.Count("emails"), dry.Count("slack")));
        Assert.Equal((2, 1), (results.Sum(r => r.Result.Count("emails")), results.Sum(r => r.Result.Count("slack"))));
        Assert.Equal("nothing_to_do", again.GetProperty("status").GetString());

        // Another language and a new version are other reports.
        await _rig.BuildAsync("--language", "es");
        Assert.Equal(1, (await _rig.DeliverAsync("--slack", "--language", "es")).Count("slack"));
        await database.ExecuteAsync("UPDATE sales_pipeline SET estimated_value = 1 + coalesce(estimated_value, 0)");
        await _rig.BuildAsync();
        Assert.Equal(2, (await _rig.DeliverAsync(flags)).Count("emails"));
    }

    [Fact]
    public async Task SlackMessage_WithHostileNames_NotifiesNobodyAndFits()
    {
        await _rig.LoadSampleAsync(400);
        await _rig.MakeHostileAsync();
        await _rig.BuildAsync();

        await _rig.DeliverAsync("--slack");

        var text = (await database.ScalarAsync<string>("SELECT payload::text FROM outbox_messages WHERE channel = 'slack'"))!;
        var payload = Json.Parse(text);
        Assert.DoesNotContain("<!channel>", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\u202e", payload.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;", text, StringComparison.Ordinal);
        var blocks = payload.GetProperty("blocks").EnumerateArray().ToList();
        Assert.InRange(blocks.Count, 2, 50);
        Assert.InRange(blocks[0].GetProperty("text").GetProperty("text").GetString()!.Length, 1, 150);
        Assert.All(blocks.Skip(1).SelectMany(block => block.GetProperty("fields").EnumerateArray()), field => Assert.InRange(field.GetProperty("text").GetString()!.Length, 1, 2000));
    }

    [Fact]
    public async Task Email_BySmtp_CarriesThePageByteForByte()
    {
        await using var sink = new SmtpSink();
        await _rig.LoadSampleAsync(120);
        await _rig.BuildAsync();
        await _rig.DeliverAsync("--email-recipients", "boss@acme.example");

        var sent = (await new OutboxRig(database).With("EMAIL", sink.Connection()).DispatchAsync("--as-of", ReportsRig.Now.AddHours(1).ToString("O"))).ShouldExitWith(ExitCode.Done);

        Assert.Equal("sent 1", sent.Counts());
        using var raw = new MemoryStream(Encoding.UTF8.GetBytes(Assert.Single(sink.Mails).Data));
        var mail = await MimeMessage.LoadAsync(raw, TestContext.Current.CancellationToken);
        Assert.Equal("Weekly sales report: Week 11 of 2026 (9 Mar 2026 – 15 Mar 2026)", mail.Subject);
        Assert.Contains("Win rate: ", mail.TextBody, StringComparison.Ordinal);
        var attachment = Assert.IsType<MimePart>(Assert.Single(mail.Attachments), exactMatch: false);
        Assert.Equal(("weekly-2026-W11-en.html", "text/html"), (attachment.FileName, attachment.ContentType.MimeType));
        using var content = new MemoryStream();
        await attachment.Content!.DecodeToAsync(content, TestContext.Current.CancellationToken);
        Assert.Equal(await _rig.FileAsync("report-en.html"), content.ToArray());
    }

    [Fact]
    public async Task Email_ByWebhook_CarriesThePageAsBase64()
    {
        await using var sink = new HttpSink();
        await _rig.BuildAsync();
        await _rig.DeliverAsync("--email-recipients", "boss@acme.example");

        (await new OutboxRig(database).With("EMAIL", sink.Connection()).DispatchAsync("--as-of", ReportsRig.Now.AddHours(1).ToString("O"))).ShouldExitWith(ExitCode.Done);

        var attachment = Assert.Single(Assert.Single(sink.Requests).Json.GetProperty("attachments").EnumerateArray());
        Assert.Equal("weekly-2026-W11-en.html", attachment.GetProperty("name").GetString());
        Assert.Equal("text/html; charset=utf-8", attachment.GetProperty("content_type").GetString());
        Assert.Equal(await _rig.FileAsync("report-en.html"), attachment.GetProperty("content").GetBytesFromBase64());
    }

    [Theory]
    [InlineData("""[{"name": "a.html", "content_type": "text/html", "sha256": "00000000000000000000000000000000000000000000000000000000000000aa"}]""", "the content of its attachment 000000000000… is not stored")]
    [InlineData("""[{"name": "a.html", "content_type": "text/html"}]""", "its attachments are not a list of {name, content_type, sha256}")]
    [InlineData("\"report.html\"", "its attachments are not a list of {name, content_type, sha256}")]
    [InlineData("large", "its attachments have 10485761 bytes; allowed: 10485760")]
    public async Task Attachments_ThatCannotGo_EndTheMessageWithTheReason(string attachments, string reason)
    {
        await using var sink = new HttpSink();
        if (attachments == "large")
        {
            await database.ExecuteAsync(
                "INSERT INTO stored_files (sha256, content_type, content) SELECT sha256(c), 'text/plain', c FROM convert_to(repeat('x', 10485761), 'UTF8') AS c");
            var hash = await database.ScalarAsync<string>("SELECT encode(sha256, 'hex') FROM stored_files");
            attachments = $$"""[{"name": "a.txt", "content_type": "text/plain", "sha256": "{{hash}}"}]""";
        }

        var rig = new OutboxRig(database).With("EMAIL", sink.Connection());
        await rig.AddAsync("with/attachment", "email", $$"""{"subject": "S", "text": "T", "attachments": {{attachments}} }""", "boss@acme.example", "report");

        await rig.DispatchAsync();

        Assert.Equal(("dead", reason), await rig.StateAsync("with/attachment"));
        Assert.Empty(sink.Requests);
    }

    [Fact]
    public async Task Storage_GetsEveryFileWithItsType_UnderPathTypeAndPeriod()
    {
        using var storage = new S3Storage("reports");
        await _rig.LoadSampleAsync(120);
        await _rig.BuildAsync();
        Connected(storage);
        string[] flags = ["--export-to-s3", "--s3-bucket", "reports", "--s3-path", "/team/sales_reports/"];

        var first = await _rig.DeliverAsync(flags);
        var before = storage.Objects.ToDictionary();
        await _rig.DeliverAsync(flags);

        Assert.Equal(17, first.Count("objects"));
        Assert.Equal(before.OrderBy(o => o.Key, StringComparer.Ordinal), storage.Objects.OrderBy(o => o.Key, StringComparer.Ordinal));
        Assert.Equal("s3://reports/team/sales_reports/weekly/2026-W11/", first.Detail("s3"));
        Assert.Equal("text/html; charset=utf-8", storage.Types["team/sales_reports/weekly/2026-W11/report-en.html"]);
        Assert.Equal("text/csv; charset=utf-8", storage.Types["team/sales_reports/weekly/2026-W11/reps.csv"]);
        Assert.Equal(await _rig.FileAsync("report.json"), storage.Objects["team/sales_reports/weekly/2026-W11/report.json"]);
        Assert.DoesNotContain(storage.Headers, name => name.Equals("x-amz-acl", StringComparison.OrdinalIgnoreCase));
        // The page appears once its data are there.
        Assert.EndsWith("report-en.html", storage.Order.Skip(16).First(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Target_ThatFails_FailsTheRunAndLosesNoOther()
    {
        using var storage = new S3Storage("reports") { Status = 403 };
        await _rig.BuildAsync();
        Connected(storage);
        using var folder = new ReportFolderOfTest();
        string[] flags = ["--output", folder.Path, "--export-to-s3", "--s3-bucket", "reports", "--slack", "--email-recipients", "boss@acme.example"];

        var (refused, result) = await _rig.RunAsync("reports deliver", flags);
        storage.Status = 200;
        var retry = await _rig.DeliverAsync(flags);

        Assert.Equal(ExitCode.Refused, refused);
        Assert.Contains("the storage answers 403", result.GetProperty("error").GetString()!, StringComparison.Ordinal);
        Assert.Equal((17, 0, 1, 1), (result.Count("files"), result.Count("objects"), result.Count("emails"), result.Count("slack")));
        Assert.Equal((0, 17, 0, 0), (retry.Count("files"), retry.Count("objects"), retry.Count("emails"), retry.Count("slack")));
    }

    [Fact]
    public async Task Storage_ThatCannotBeReached_IsTemporary()
    {
        await _rig.BuildAsync();
        using (var gone = new S3Storage("reports"))
        {
            Connected(gone);
        }

        var (exitCode, _) = await _rig.RunAsync("reports deliver", "--export-to-s3", "--s3-bucket", "reports");

        Assert.Equal(ExitCode.TemporaryFailure, exitCode);
    }

    [Fact]
    public void Failures_OfSeveralTargets_AreTemporaryWhereARetryHelpsOne()
    {
        Assert.Null(DeliverReport.Join([]));
        Assert.Equal(ExitCode.Refused, DeliverReport.Join([JobException.Refused("a"), JobException.Usage("b")])!.ExitCode);
        var joined = DeliverReport.Join([JobException.Refused("a"), JobException.Temporary("b")])!;
        Assert.Equal((ExitCode.TemporaryFailure, "a\nb"), (joined.ExitCode, joined.Message));
    }

    [Fact]
    public async Task Report_NeverBuilt_IsUsageAndNothingInADryRun()
    {
        var (exitCode, result) = await _rig.RunAsync("reports deliver", "--slack");

        Assert.Equal(ExitCode.Usage, exitCode);
        Assert.Contains("There is no weekly report of 2026-W11 in language en: run \"sales-tasks reports build\"", result.GetProperty("error").GetString()!, StringComparison.Ordinal);
        Assert.Equal("nothing_to_do", (await _rig.DeliverAsync("--slack", "--dry-run")).GetProperty("status").GetString());
    }

    [Theory]
    [InlineData("""{"export_to_s3": true}""", "s3_bucket: it is not given")]
    [InlineData("""{"email_recipients": "boss"}""", "at most 100 e-mail addresses")]
    [InlineData("""{"email_recipients": ["a@b.example", 3]}""", "at most 100 e-mail addresses")]
    [InlineData("""{"email_recipients": "a@b.example\nBcc: c@d.example"}""", "at most 100 e-mail addresses")]
    [InlineData("""{"slack": "yes"}""", "true or false")]
    public async Task Parameters_ThatAreNotAllowed_AreRefused(string parameters, string fault)
    {
        var (exitCode, result) = await _rig.With("SALES_PARAMS", parameters).RunAsync("reports deliver");

        Assert.Equal(ExitCode.Usage, exitCode);
        Assert.Contains(fault, result.GetProperty("error").GetString()!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recipients_AsAListOfAirflows_AreThoseOfTheText()
    {
        await _rig.BuildAsync();

        var listed = await _rig.With("SALES_PARAMS", """{"email_recipients": ["a@b.example", " c@d.example "], "slack": false, "s3_bucket": null}""").DeliverAsync();
        var text = await _rig.With("SALES_PARAMS", """{"email_recipients": "a@b.example,c@d.example,"}""").DeliverAsync();

        Assert.Equal((2, 0), (listed.Count("emails"), text.Count("emails")));
        Assert.Equal(
            """["a@b.example", "c@d.example"]""",
            await database.ScalarAsync<string>("SELECT parameters ->> 'email_recipients' FROM task_runs WHERE command = 'reports deliver' ORDER BY id LIMIT 1"));
    }

    private void Connected(S3Storage storage) => _rig.With("SALES_S3_CONN_ID", "s3").With("AIRFLOW_CONN_S3", storage.Connection);
}
