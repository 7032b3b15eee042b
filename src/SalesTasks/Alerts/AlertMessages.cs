using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Delivery;

namespace SalesTasks.Alerts;

/// <summary>
/// What is new, told once: one message to Slack, one to each configured address, one to each rep with their own. Leads are named by their id:
/// a message outlives an erasure.
/// </summary>
internal sealed class AlertMessages(NpgsqlConnection connection, JobContext context)
{
    private const int LinesOfAGroup = 8;
    private const int LinesOfADigest = 20;

    /// <summary>Eight such lines, a title and the line about the rest are less than the 3,000 characters of a section.</summary>
    private const int LongestLine = 300;

    private readonly bool _spanish = context.Parameters.Get(AlertJobs.Language) == "es";

    /// <summary>Writes the messages and marks what they carry as told. Where no channel is configured the news waits for one.</summary>
    /// <returns>How many messages.</returns>
    public async Task<long> WriteAsync(CancellationToken cancellationToken)
    {
        var slack = context.Parameters.Get(AlertJobs.NotifySlack) && context.ConnectionIds.Slack is not null;
        var addresses = AlertJobs.Addresses(context.Parameters);
        if (context.ConnectionIds.Email is null && addresses.Length > 0)
        {
            context.Log.Warning("{Parameter:l} is set, but no e-mail connection is: nobody is written to", AlertJobs.EmailRecipients.Name);
            addresses = [];
        }

        var reps = context.Parameters.Get(AlertJobs.NotifyReps) && context.ConnectionIds.Email is not null;
        var news = await NewsAsync(cancellationToken);
        if (news.Count == 0 || !(slack || reps || addresses.Length > 0))
        {
            return 0;
        }

        var mark = await connection.ScalarStatementAsync<string>("alerts/news_mark", [], cancellationToken);
        var run = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(context.Run.IdempotencyKey)))[..32];
        var messages = new List<(string Key, string Channel, string? Recipient, string Payload)>();
        void Add(string name, string channel, string? recipient, JsonObject payload) =>
            messages.Add(($"alerts/{run}/{mark}/{name}", channel, recipient, payload.ToJsonString()));
        if (slack)
        {
            Add("slack", "slack", null, Slack(news, _spanish));
        }

        foreach (var address in addresses)
        {
            Add(Hash(address), "email", address, Email(news, _spanish));
        }

        if (reps)
        {
            foreach (var rep in await DigestsAsync(cancellationToken))
            {
                Add("rep-" + Hash(rep.Email), "email", rep.Email, Digest(rep));
            }
        }

        (string, object?) asOf = ("as_of", context.AsOf);
        var written = await connection.ExecuteStatementAsync(
            "alerts/queue_messages",
            [
                asOf, ("keys", messages.Select(m => m.Key).ToArray()), ("channels", messages.Select(m => m.Channel).ToArray()),
                ("recipients", messages.Select(m => m.Recipient).ToArray()), ("payloads", messages.Select(m => m.Payload).ToArray()),
            ],
            cancellationToken);
        await connection.ExecuteStatementAsync("alerts/mark_told", [asOf, ("reps_only", !slack && addresses.Length == 0)], cancellationToken);
        return written;
    }

    /// <summary>Groups of one kind and severity, the most severe first; within Slack's limits however many alerts there are.</summary>
    internal static JsonObject Slack(IReadOnlyList<NewsGroup> news, bool spanish)
    {
        var title = Title(news, spanish);
        var blocks = new JsonArray(new JsonObject { ["type"] = "header", ["text"] = new JsonObject { ["type"] = "plain_text", ["text"] = title } });
        foreach (var group in news.Take(SlackLimits.Blocks - 2))
        {
            var text = new StringBuilder(
                $"{Sign(group.Severity)} *{AlertKind.Title(group.Kind, spanish)}* ({Number(group.Total, spanish)})");
            foreach (var alert in group.Lines)
            {
                text.Append("\n• ").Append(SlackText.Truncate(SlackText.Escape(Line(group.Kind, alert, spanish)), LongestLine));
            }

            if (group.Total > group.Lines.Count)
            {
                text.Append("\n_").Append(More(group, spanish)).Append('_');
            }

            blocks.Add((JsonNode)new JsonObject { ["type"] = "section", ["text"] = Mrkdwn(text.ToString()) });
        }

        blocks.Add((JsonNode)new JsonObject { ["type"] = "context", ["elements"] = new JsonArray(Mrkdwn(How(spanish))) });
        return new JsonObject { ["text"] = title, ["blocks"] = blocks };
    }

    internal static JsonObject Email(IReadOnlyList<NewsGroup> news, bool spanish)
    {
        var text = new StringBuilder();
        foreach (var group in news)
        {
            text.Append(CultureInfo.InvariantCulture, $"[{Severity(group.Severity, spanish)}] {AlertKind.Title(group.Kind, spanish)} ({Number(group.Total, spanish)})\n");
            foreach (var alert in group.Lines)
            {
                text.Append("- ").Append(Line(group.Kind, alert, spanish)).Append('\n');
            }

            if (group.Total > group.Lines.Count)
            {
                text.Append("  ").Append(More(group, spanish)).Append('\n');
            }

            text.Append('\n');
        }

        return Mail(Title(news, spanish), text.Append(How(spanish)).ToString(), news.Sum(group => group.Total));
    }

    private JsonObject Digest(RepDigest rep)
    {
        var spanish = rep.Language switch
        {
            not null when rep.Language.StartsWith("es", StringComparison.Ordinal) => true,
            not null when rep.Language.StartsWith("en", StringComparison.Ordinal) => false,
            _ => _spanish,
        };
        var text = new StringBuilder();
        foreach (var (kind, severity, alert) in rep.Lines)
        {
            text.Append(CultureInfo.InvariantCulture, $"[{Severity(severity, spanish)}] {AlertKind.Title(kind, spanish)}: {Line(kind, alert, spanish)}\n");
        }

        if (rep.Total > rep.Lines.Count)
        {
            var more = Number(rep.Total - rep.Lines.Count, spanish);
            text.Append(spanish ? $"... y {more} más: sales-tasks alerts list --rep {rep.Email}\n" : $"... and {more} more: sales-tasks alerts list --rep {rep.Email}\n");
        }

        var count = Number(rep.Total, spanish);
        var subject = (spanish, rep.Total) switch
        {
            (true, 1) => "1 alerta para ti",
            (true, _) => $"{count} alertas para ti",
            (false, 1) => "1 alert for you",
            (false, _) => $"{count} alerts for you",
        };
        return Mail(subject, text.ToString(), rep.Total);
    }

    /// <summary>With its number, by which a reader acknowledges or snoozes it.</summary>
    private static string Line(string kind, ToldAlert alert, bool spanish) => string.Create(
        CultureInfo.InvariantCulture, $"#{alert.Id} {AlertKind.Text(kind, spanish, alert.Facts)}");

    private static JsonObject Mail(string subject, string text, long alerts) => new()
    {
        ["subject"] = subject,
        ["text"] = text,
        ["metadata"] = new JsonObject { ["alerts"] = alerts },
    };

    private static JsonObject Mrkdwn(string text) => new() { ["type"] = "mrkdwn", ["text"] = text };

    private static string Title(IReadOnlyList<NewsGroup> news, bool spanish) => (spanish ? "Alertas de ventas: " : "Sales alerts: ") + string.Join(
        ", ", news.GroupBy(group => group.Severity).Select(groups => $"{Number(groups.Sum(group => group.Total), spanish)} {Severity(groups.Key, spanish)}"));

    private static string More(NewsGroup group, bool spanish)
    {
        var more = Number(group.Total - group.Lines.Count, spanish);
        var command = $"sales-tasks alerts list --kind {group.Kind} --severity {group.Severity} --limit {group.Total}";
        return spanish ? $"y {more} más: `{command}`" : $"and {more} more: `{command}`";
    }

    private static string How(bool spanish) => spanish
        ? "Todas: `sales-tasks alerts list`. Atendida: `sales-tasks alerts ack N`; más tarde: `sales-tasks alerts snooze N --for 2d`"
        : "All of them: `sales-tasks alerts list`. Seen to: `sales-tasks alerts ack N`; later: `sales-tasks alerts snooze N --for 2d`";

    private static string Sign(string severity) => severity switch
    {
        "critical" => ":red_circle:",
        "warning" => ":large_orange_circle:",
        _ => ":large_blue_circle:",
    };

    public static string Severity(string severity, bool spanish) => (severity, spanish) switch
    {
        ("critical", true) => "crítica",
        ("warning", true) => "aviso",
        ("info", true) => "información",
        _ => severity,
    };

    private static string Number(long number, bool spanish)
    {
        var text = number.ToString("N0", CultureInfo.InvariantCulture);
        return spanish ? text.Replace(',', '.') : text;
    }

    private static string Hash(string address) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(address)))[..32];

    private async Task<List<NewsGroup>> NewsAsync(CancellationToken cancellationToken) =>
    [
        .. (await connection.QueryStatementAsync(
            "alerts/news",
            [("lines", LinesOfAGroup)],
            row => (Kind: row.GetString(0), Severity: row.GetString(1), Total: row.GetInt64(2), Alert: new ToldAlert(row.GetInt64(3), Parse(row.GetString(4)))),
            cancellationToken))
            .GroupBy(line => (line.Kind, line.Severity, line.Total))
            .Select(lines => new NewsGroup(lines.Key.Kind, lines.Key.Severity, lines.Key.Total, [.. lines.Select(line => line.Alert)])),
    ];

    private async Task<List<RepDigest>> DigestsAsync(CancellationToken cancellationToken) =>
    [
        .. (await connection.QueryStatementAsync(
            "alerts/digest",
            [("lines", LinesOfADigest)],
            row => (
                Email: row.GetString(0), Language: row.IsDBNull(1) ? null : row.GetString(1), Total: row.GetInt64(4),
                Line: (row.GetString(2), row.GetString(3), new ToldAlert(row.GetInt64(5), Parse(row.GetString(6))))),
            cancellationToken))
            .GroupBy(line => (line.Email, line.Language, line.Total))
            .Select(lines => new RepDigest(lines.Key.Email, lines.Key.Language, lines.Key.Total, [.. lines.Select(line => line.Line)])),
    ];

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}

/// <summary>An alert as a message tells it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Facts">What the text of its kind is filled with.</param>
internal sealed record ToldAlert(long Id, JsonElement Facts);

/// <summary>News of one kind and severity.</summary>
/// <param name="Kind">Name of the kind.</param>
/// <param name="Severity">critical, warning or info.</param>
/// <param name="Total">How many alerts.</param>
/// <param name="Lines">The first of them.</param>
internal sealed record NewsGroup(string Kind, string Severity, long Total, IReadOnlyList<ToldAlert> Lines);

/// <summary>What is new for one rep.</summary>
internal sealed record RepDigest(string Email, string? Language, long Total, IReadOnlyList<(string Kind, string Severity, ToldAlert Alert)> Lines);
