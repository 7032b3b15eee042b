using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Npgsql;
using SalesTasks.Database;
using SalesTasks.Encryption;

namespace SalesTasks.Delivery;

/// <summary>Messages that hold sealed numbers: opened in memory when they are claimed, never in the database. A token leaves the building in no case.</summary>
internal sealed partial class SealedMessages(Vault vault, string channel)
{
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Before calls are judged: a number that another tool put on the suppression list is known there by itself only; now by its token too.
    /// </summary>
    public async Task JudgeAsync(NpgsqlConnection connection, long[] ids, CancellationToken cancellationToken)
    {
        if (channel != "call")
        {
            return;
        }

        var numbers = await connection.QueryStatementAsync(
            "encryption/call_numbers", [("ids", ids)], row => (Lead: row.GetString(0), Number: row.GetString(1)), cancellationToken);
        var opened = await vault.ReadAsync(connection, numbers.ConvertAll(n => (n.Lead, n.Number)), cancellationToken);
        await vault.SyncSuppressionsAsync(connection, opened.Values.Select(o => o.Text).OfType<string>(), cancellationToken);
    }

    public async Task<IReadOnlyList<OutboxMessage>> OpenAsync(
        NpgsqlConnection connection, IReadOnlyList<OutboxMessage> messages, CancellationToken cancellationToken)
    {
        var wanted = messages.Where(m => m.LeadExtId is not null)
            .SelectMany(m => Sealer.TokensIn(m.Recipient).Concat(Sealer.TokensIn(m.Payload)).Select(token => (m.LeadExtId!, token))).Distinct().ToList();
        if (wanted.Count == 0)
        {
            return [.. messages.Select(m => Left(m.Recipient, m.Payload) ? m with { Fault = Vault.NotTheLeads } : m)];
        }

        var opened = await vault.ReadAsync(connection, wanted, cancellationToken);
        return [.. messages.Select(m => Open(m, opened))];
    }

    private OutboxMessage Open(OutboxMessage message, Dictionary<(string Lead, string Token), Opened> opened)
    {
        if (!Left(message.Recipient, message.Payload))
        {
            return message;
        }

        string? fault = null;
        var recipient = message.Recipient is { } to ? Reveal(null, to) : null;
        var payload = JsonNode.Parse(message.Payload)!;
        MessageTexts.Change(payload, Reveal);
        var text = payload.ToJsonString(s_json);
        return fault is not null || Left(recipient, text)
            ? message with { Fault = fault ?? Vault.NotTheLeads }
            : message with { Recipient = recipient, Payload = text };

        string Reveal(string? property, string value) => Sealer.Replace(value, token =>
        {
            var found = opened.GetValueOrDefault((message.LeadExtId ?? "", token));
            fault ??= found.Text is null ? found.Fault ?? Vault.NotTheLeads : null;
            return found.Text is { } clear ? MessageTexts.Written(clear, property, channel) : token;
        });
    }

    /// <summary>A token, or what a template's filter left of one.</summary>
    private static bool Left(string? recipient, string payload) =>
        (recipient?.StartsWith(Sealer.Prefix, StringComparison.Ordinal) ?? false)
        || (payload.Contains(Sealer.Prefix, StringComparison.OrdinalIgnoreCase) && Fragment().IsMatch(payload));

    [GeneratedRegex("sealed-[a-p]{12}", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Fragment();
}
