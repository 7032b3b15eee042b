using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Delivery;

/// <summary>
/// What a step reports to Slack at the end of a DAG: a heading and figures, as one message of Block Kit, written to the outbox with the key
/// of its run.
/// </summary>
/// <param name="kind">Which summary it is; begins the idempotency key.</param>
/// <param name="runKey">Names the run without its try: a retry does not report again.</param>
/// <param name="language">Of its text: es is Spanish, all else English.</param>
internal sealed class SummaryMessage(string kind, string runKey, string language = "en")
{
    /// <summary>1.234,5 as Spanish writes it.</summary>
    private static readonly NumberFormatInfo s_spanishNumbers = new() { NumberGroupSeparator = ".", NumberDecimalSeparator = "," };

    /// <summary>Fields a section may hold. https://docs.slack.dev/reference/block-kit/blocks/section-block</summary>
    private const int FieldsInASection = 10;

    /// <summary>Run ids may hold any character and be long; a key may not.</summary>
    public string Key { get; } = $"{kind}/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(runKey)))}";

    /// <summary>Picks the text in the summary's language.</summary>
    public string Text(string english, string spanish) => language == "es" ? spanish : english;

    /// <summary>A number as the summary's language writes it.</summary>
    /// <param name="value">The number.</param>
    /// <param name="decimals">Digits after the separator.</param>
    public string Number(decimal value, int decimals = 0) =>
        value.ToString($"N{decimals}", language == "es" ? s_spanishNumbers : CultureInfo.InvariantCulture);

    /// <summary>Since when a reader of these summaries has heard nothing: the last one, or a day before <paramref name="asOf"/>.</summary>
    public async Task<DateTimeOffset> SinceAsync(NpgsqlConnection connection, DateTimeOffset asOf, CancellationToken cancellationToken) =>
        await connection.ScalarStatementAsync<DateTimeOffset?>(
            "delivery/last_summary", [("as_of", asOf), ("kind", kind), ("key", Key)], cancellationToken) ?? asOf.AddHours(-24);

    /// <summary>Writes the message; within a transaction of the connection where there is one.</summary>
    /// <param name="connection">Open.</param>
    /// <param name="title">At most 150 characters.</param>
    /// <param name="figures">Names and values, our own words and numbers: nothing of them is escaped.</param>
    /// <param name="asOf">When it is written.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>1, or 0 where this run has written it before.</returns>
    public Task<int> WriteAsync(
        NpgsqlConnection connection,
        string title,
        IReadOnlyList<(string Name, string Value)> figures,
        DateTimeOffset asOf,
        CancellationToken cancellationToken) => connection.ExecuteStatementAsync(
            "delivery/queue_summary", [("key", Key), ("payload", Payload(title, figures).ToJsonString()), ("as_of", asOf)], cancellationToken);

    internal static JsonObject Payload(string title, IReadOnlyList<(string Name, string Value)> figures)
    {
        var blocks = new JsonArray(new JsonObject { ["type"] = "header", ["text"] = TextBlock("plain_text", title) });
        foreach (var some in figures.Chunk(FieldsInASection))
        {
            blocks.Add((JsonNode)new JsonObject
            {
                ["type"] = "section",
                ["fields"] = new JsonArray([.. some.Select(figure => TextBlock("mrkdwn", $"*{figure.Name}*\n{figure.Value}"))]),
            });
        }

        return new JsonObject
        {
            ["text"] = $"{title}: {string.Join("; ", figures.Select(figure => $"{figure.Name} {figure.Value}"))}",
            ["blocks"] = blocks,
        };
    }

    private static JsonObject TextBlock(string type, string text) => new() { ["type"] = type, ["text"] = text };
}
