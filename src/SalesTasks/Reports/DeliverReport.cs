using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using SalesTasks.Charts;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Delivery;

namespace SalesTasks.Reports;

/// <summary>
/// <c>reports deliver</c>: brings the newest version of the last complete period's report to a folder, to S3-compatible storage, and into the
/// outbox as e-mail and Slack message. Each target is tried whatever became of the others; what failed fails the run, and a retry repeats no
/// message.
/// </summary>
internal static class DeliverReport
{
    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var period = ReportPeriod.LastComplete(context.Parameters.Get(ReportsJobs.ReportType), context.AsOf);
        var language = ReportLanguage.Of(context.Parameters.Get(ReportsJobs.Language));
        var counts = new Dictionary<string, long>(StringComparer.Ordinal) { ["files"] = 0, ["objects"] = 0, ["emails"] = 0, ["slack"] = 0 };
        var details = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["report_type"] = period.Type,
            ["period"] = period.Id,
            ["language"] = language.Code,
        };
        if (await LoadAsync(context.Database, period, language, cancellationToken) is not var (stored, files))
        {
            if (!context.DryRun)
            {
                throw JobException.Usage(
                    $"There is no {period.Type} report of {period.Id} in language {language.Code}: run \"sales-tasks reports build\" with the same parameters first");
            }

            context.Log.Information("There is no {Type:l} report of {Period:l} yet; a dry run of the build keeps none", period.Type, period.Id);
            return new JobResult(counts) { NothingToDo = true, Details = details };
        }

        details["version"] = stored.Version;
        var report = new Delivered(period, language, stored, files);
        var failures = new List<JobException>();
        foreach (var (name, deliver) in Targets(context, report, details))
        {
            try
            {
                counts[name] = await deliver(cancellationToken);
            }
            catch (Exception exception) when (Known(exception) is not null)
            {
                failures.Add(Known(exception)!);
            }
        }

        return new JobResult(counts) { NothingToDo = failures.Count == 0 && counts.Values.All(count => count == 0), Details = details, Failure = Join(failures) };
    }

    /// <summary>One failure for all: temporary where a retry helps one of them, which repeats nothing that went through.</summary>
    internal static JobException? Join(IReadOnlyList<JobException> failures) => failures.Count == 0
        ? null
        : new JobException(
            failures.FirstOrDefault(failure => failure.ExitCode is ExitCode.TemporaryFailure)?.ExitCode ?? failures[0].ExitCode,
            string.Join('\n', failures.Select(failure => failure.Message)));

    private static JobException? Known(Exception exception) => exception as JobException ?? PostgresErrors.ToJobException(exception);

    private static List<(string Name, Func<CancellationToken, Task<long>> Deliver)> Targets(
        JobContext context, Delivered report, Dictionary<string, object?> details)
    {
        var targets = new List<(string, Func<CancellationToken, Task<long>>)>();
        if (context.Parameters.Get(ReportsJobs.Output) is { } folder)
        {
            targets.Add(("files", _ =>
            {
                if (context.DryRun)
                {
                    return Task.FromResult((long)report.Files.Count);
                }

                var (written, page) = ReportFolder.Write(folder, report.Period, report.Language, report.Files);
                details["page"] = page;
                return Task.FromResult((long)written);
            }
            ));
        }

        if (context.Parameters.Get(ReportsJobs.ExportToS3))
        {
            targets.Add(("objects", token => UploadAsync(context, report, details, token)));
        }

        if (context.Parameters.Get(ReportsJobs.EmailRecipients) is { Count: > 0 } recipients)
        {
            targets.Add(("emails", token => QueueAsync(context, recipients.Select(to => report.Email(to)).ToList(), token)));
        }

        if (context.Parameters.Get(ReportsJobs.Slack))
        {
            targets.Add(("slack", token => QueueAsync(context, [report.SlackMessage()], token)));
        }

        return targets;
    }

    private static Task<(StoredReport Stored, IReadOnlyList<ReportFile> Files)?> LoadAsync(
        SalesDatabase database, ReportPeriod period, ReportLanguage language, CancellationToken cancellationToken) => database.InTransactionAsync(
        async (connection, _, token) => await ReportStore.NewestAsync(connection, period, language, token) is { } stored
            ? (stored, await ReportStore.FilesAsync(connection, stored.Id, token))
            : ((StoredReport, IReadOnlyList<ReportFile>)?)null,
        cancellationToken);

    private static async Task<long> UploadAsync(JobContext context, Delivered report, Dictionary<string, object?> details, CancellationToken cancellationToken)
    {
        using var storage = S3Storage.Open(context.ConnectionIds, context.Connections);
        var path = context.Parameters.Get(ReportsJobs.S3Path)!.Trim('/');
        var prefix = $"{S3Storage.Scheme}{context.Parameters.Get(ReportsJobs.S3Bucket)}/{path}{(path.Length > 0 ? "/" : "")}{report.Period.Type}/{report.Period.Id}/";
        details["s3"] = prefix;
        if (context.DryRun)
        {
            return report.Files.Count;
        }

        // The page last: who sees it has its data too.
        foreach (var file in report.Files.OrderBy(file => file.Name == Report.PageName(report.Language)))
        {
            await storage.UploadAsync(file.Content, file.ContentType, prefix + file.Name, cancellationToken);
            context.Advance(1);
        }

        return report.Files.Count;
    }

    /// <summary>Writes messages to the outbox, all or none.</summary>
    private static async Task<long> QueueAsync(JobContext context, List<OutgoingMessage> messages, CancellationToken cancellationToken)
    {
        if (context.DryRun)
        {
            return messages.Count;
        }

        return await context.Database.InTransactionAsync(
            async (connection, _, token) =>
            {
                var written = 0L;
                foreach (var message in messages)
                {
                    written += await connection.ExecuteStatementAsync(
                        "reports/queue_message",
                        [
                            ("key", message.Key), ("channel", message.Channel), ("recipient", message.Recipient), ("payload", message.Payload.ToJsonString()),
                            ("as_of", context.AsOf),
                        ],
                        token);
                }

                return written;
            },
            cancellationToken);
    }

    private sealed record OutgoingMessage(string Key, string Channel, string? Recipient, JsonObject Payload);

    /// <summary>The report that is delivered, and the messages about it.</summary>
    private sealed class Delivered(ReportPeriod period, ReportLanguage language, StoredReport stored, IReadOnlyList<ReportFile> files)
    {
        private readonly ReportSummary _summary = ReportSummary.Parse(stored.Summary);

        public ReportPeriod Period => period;

        public ReportLanguage Language => language;

        public IReadOnlyList<ReportFile> Files => files;

        /// <summary>One a version and receiver: a retry, and a build of the same data, write no second message.</summary>
        private string Key => $"{period.Type}/{period.Id}/{language.Code}/v{stored.Version}-{Convert.ToHexStringLower(stored.Sha256)[..12]}";

        public OutgoingMessage Email(string to)
        {
            var page = files.Single(file => file.Name == Report.PageName(language));
            var who = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(to.ToLowerInvariant())))[..32];
            return new OutgoingMessage($"report-email/{Key}/{who}", "email", to, new JsonObject
            {
                ["subject"] = _summary.Title,
                ["text"] = Text(),
                ["html"] = Html(),
                ["attachments"] = new JsonArray(new JsonObject
                {
                    ["name"] = $"{period.Type}-{period.Id}-{language.Code}.html",
                    ["content_type"] = page.ContentType,
                    ["sha256"] = Convert.ToHexStringLower(page.Sha256),
                }),
            });
        }

        public OutgoingMessage SlackMessage() => new($"report-slack/{Key}", "slack", null, SummaryMessage.Payload(
            _summary.Title, [.. _summary.Lines.Select(line => (SlackText.Escape(line.Name), SlackText.Escape(WithoutDirection(line.Value))))]));

        private string Text()
        {
            var text = new StringBuilder(_summary.Title).Append("\n\n").Append(_summary.Won).Append("\n\n");
            foreach (var (name, value) in _summary.Lines)
            {
                text.Append(name).Append(": ").Append(WithoutDirection(value)).Append('\n');
            }

            return text.Append('\n').Append(Attached).Append('\n').ToString();
        }

        private string Html()
        {
            var html = new Markup().Element("p", _summary.Won).Open("table", ("cellpadding", "4"));
            foreach (var (name, value) in _summary.Lines)
            {
                html.Open("tr").Element("th", name, ("align", "left"), ("scope", "row")).Open("td").Isolated(value).Close().Close();
            }

            return html.Close().Element("p", Attached).ToString();
        }

        private string Attached => language.Text(
            "The whole report with its charts is attached; open it in a browser.", "El informe completo con sus gráficos va adjunto; ábrelo en un navegador.");

        /// <summary>Without the characters that turn the direction of what follows them: plain text cannot hold names apart.</summary>
        private static string WithoutDirection(string text) =>
            new([.. text.Where(c => c is not (>= '\u202a' and <= '\u202e') and not (>= '\u2066' and <= '\u2069') and not ('\u200e' or '\u200f' or '\u061c'))]);
    }
}
