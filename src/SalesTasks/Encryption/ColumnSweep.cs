using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Encryption;

/// <summary>
/// Goes through all places that hold phones and notes and seals them, or puts them back. Batches by key, each a transaction that locks its rows
/// as everybody does and leaves the values as good as unchanged; what was done stays done, and a run that was killed is gone on with by the next.
/// </summary>
internal sealed class ColumnSweep(SalesDatabase database, Vault vault, bool seal, Action<long> advance)
{
    private readonly Sealer _sealer = vault.Sealer;
    private readonly SweepPages _pages = new(database, advance);

    public long Leads { get; private set; }

    public long Deals { get; private set; }

    public long Messages { get; private set; }

    public long Tasks { get; private set; }

    public long Crm { get; private set; }

    /// <summary>Values that were sealed with an older key and are now with the current one.</summary>
    public long Rotated { get; private set; }

    /// <summary>Sealed values that nothing held any more.</summary>
    public long Removed { get; private set; }

    /// <summary>Values that do not open: changed, moved, or their key is missing. They stay as they are.</summary>
    public long Unreadable { get; private set; }

    /// <param name="rotate">Values under older keys too.</param>
    /// <param name="cancellationToken">Asked to stop.</param>
    public async Task RunAsync(bool rotate, CancellationToken cancellationToken)
    {
        if (seal)
        {
            await database.ExecuteAsync("encryption/drop_clear_staging", [], cancellationToken);
        }

        Leads = await _pages.RunAsync(LeadsAsync, cancellationToken);
        Deals = await _pages.RunAsync(DealsAsync, cancellationToken);
        Messages += await _pages.RunAsync(MessagesAsync, cancellationToken);
        if (!seal)
        {
            Tasks += await _pages.RunAsync(TasksAsync, cancellationToken);
        }

        var crm = new CrmSweep(_pages, _sealer, seal, rotate);
        Crm = await crm.RunAsync(cancellationToken);
        Unreadable += crm.Unreadable;
        if (rotate)
        {
            Rotated = await SealedAsync(cancellationToken);
        }

        if (seal)
        {
            await UnusedAsync(cancellationToken);
        }
    }

    private async Task<long[]> NextAsync(NpgsqlConnection connection, string statement, long after, CancellationToken cancellationToken) =>
        [.. await connection.QueryStatementAsync(
            statement, [("after", after), ("sealed", !seal), ("limit", SweepPages.Rows)], row => row.GetInt64(0), cancellationToken)];

    private async Task<(long?, long)> LeadsAsync(NpgsqlConnection connection, long after, CancellationToken cancellationToken)
    {
        var ids = await NextAsync(connection, "encryption/next_leads", after, cancellationToken);
        if (ids.Length == 0)
        {
            return (null, 0);
        }

        var rows = await connection.QueryStatementAsync(
            "encryption/lock_leads", [("ids", ids)],
            row => new Row(row.GetInt64(0), row.GetInt64(0), row.GetString(1), Text(row, 2), null), cancellationToken);
        var changes = await ChangeAsync(connection, rows, cancellationToken);
        if (changes.Count > 0)
        {
            await connection.ExecuteStatementAsync(
                "encryption/write_leads",
                [("ids", changes.ConvertAll(c => c.Row.Id).ToArray()), ("phones", changes.ConvertAll(c => c.Phone).ToArray())], cancellationToken);
        }

        return (ids[^1], changes.Count);
    }

    private async Task<(long?, long)> DealsAsync(NpgsqlConnection connection, long after, CancellationToken cancellationToken)
    {
        var ids = await NextAsync(connection, "encryption/next_deals", after, cancellationToken);
        if (ids.Length == 0)
        {
            return (null, 0);
        }

        var rows = await connection.QueryStatementAsync(
            "encryption/lock_deals", [("ids", ids)],
            row => new Row(row.GetInt64(0), row.GetInt64(1), row.GetString(2), Text(row, 3), Text(row, 4)), cancellationToken);
        var changes = await ChangeAsync(connection, rows, cancellationToken);
        if (changes.Count > 0)
        {
            await connection.ExecuteStatementAsync(
                "encryption/write_deals",
                [
                    ("ids", changes.ConvertAll(c => c.Row.Id).ToArray()), ("phones", changes.ConvertAll(c => c.Phone).ToArray()),
                    ("notes", changes.ConvertAll(c => c.Notes).ToArray()),
                ],
                cancellationToken);
        }

        return (ids[^1], changes.Count);
    }

    /// <summary>What is to be written in the place of phone and notes, and the values behind it stored.</summary>
    private async Task<List<(Row Row, string? Phone, string? Notes)>> ChangeAsync(
        NpgsqlConnection connection, List<Row> rows, CancellationToken cancellationToken)
    {
        var tokens = rows.SelectMany(r => Sealer.TokensIn(r.Phone).Concat(Sealer.TokensIn(r.Notes)).Select(t => (r.ExtId, t))).Distinct().ToList();
        var opened = await vault.ReadAsync(connection, tokens, cancellationToken);
        var changes = new List<(Row, string?, string?)>();
        var values = new List<(long, string, string)>();
        var numbers = new List<(string Lead, string Number, string Token)>();
        foreach (var row in rows)
        {
            var (phone, notes) = (row.Phone, row.Notes);
            if (!seal)
            {
                (phone, notes) = (Clear(row, phone), Clear(row, notes));
            }
            else
            {
                if (phone is { Length: > 0 } && !phone.StartsWith(Sealer.Prefix, StringComparison.Ordinal))
                {
                    var token = _sealer.PhoneToken(phone);
                    values.Add((row.LeadId, token, phone));
                    numbers.Add((row.ExtId, phone, token));
                    phone = token;
                }

                if (notes is { Length: > 0 } && !Sealer.IsToken(notes))
                {
                    // Notes that were added to behind a token.
                    var text = Sealer.Replace(notes, token => opened.GetValueOrDefault((row.ExtId, token)).Text ?? token);
                    notes = _sealer.NotesToken(row.LeadId, text);
                    values.Add((row.LeadId, notes, text));
                }
            }

            if (phone != row.Phone || notes != row.Notes)
            {
                changes.Add((row, phone, notes));
            }
        }

        await vault.SaveAsync(connection, values, cancellationToken);
        if (seal)
        {
            await vault.SyncSuppressionsAsync(connection, numbers.Select(n => n.Number), cancellationToken);
            await ReplaceAsync(connection, [.. numbers.Where(n => PhoneDigits.Identify(PhoneDigits.Of(n.Number)))], cancellationToken);
        }

        return changes;

        string? Clear(Row row, string? text) => text is null ? null : Sealer.Replace(text, token =>
        {
            if (opened.GetValueOrDefault((row.ExtId, token)).Text is { } value)
            {
                return value;
            }

            Unreadable++;
            return token;
        });
    }

    /// <summary>Numbers within texts that were written from templates, also as HTML writes them.</summary>
    private async Task ReplaceAsync(NpgsqlConnection connection, List<(string Lead, string Number, string Token)> numbers, CancellationToken cancellationToken)
    {
        var encoded = numbers.Select(n => n with { Number = HtmlEncoder.Default.Encode(n.Number) }).Except(numbers).ToList();
        foreach (var group in (List<(string Lead, string Number, string Token)>[])[numbers, encoded])
        {
            if (group.Count > 0)
            {
                (string, object?)[] parameters =
                [
                    ("leads", group.ConvertAll(n => n.Lead).ToArray()), ("numbers", group.ConvertAll(n => n.Number).ToArray()),
                    ("tokens", group.ConvertAll(n => n.Token).ToArray()),
                ];
                Messages += await connection.ExecuteStatementAsync("encryption/replace_in_messages", parameters, cancellationToken);
                Tasks += await connection.ExecuteStatementAsync("encryption/replace_in_tasks", parameters, cancellationToken);
            }
        }
    }

    private async Task<(long?, long)> MessagesAsync(NpgsqlConnection connection, long after, CancellationToken cancellationToken)
    {
        var ids = await NextAsync(connection, "encryption/next_messages", after, cancellationToken);
        if (ids.Length == 0)
        {
            return (null, 0);
        }

        var rows = await connection.QueryStatementAsync(
            "encryption/lock_messages", [("ids", ids)],
            row => (Id: row.GetInt64(0), LeadId: row.GetInt64(1), Lead: row.GetString(2), Channel: row.GetString(3), Recipient: Text(row, 4), Payload: row.GetString(5)),
            cancellationToken);
        var opened = seal ? [] : await vault.ReadAsync(
            connection, rows.SelectMany(r => Sealer.TokensIn(r.Recipient).Concat(Sealer.TokensIn(r.Payload)).Select(t => (r.Lead, t))).Distinct().ToList(), cancellationToken);
        var values = new List<(long, string, string)>();
        var written = new List<(long Id, string? Recipient, string Payload)>();
        foreach (var row in rows)
        {
            var payload = JsonNode.Parse(row.Payload)!;
            var change = seal ? Seal(row.LeadId, Numbers(row.Channel, row.Recipient, payload), values) : Reveal(row.Lead, row.Channel);
            var recipient = row.Recipient is { } to ? change(null, to) : null;
            MessageTexts.Change(payload, change);
            written.Add((row.Id, recipient, payload.ToJsonString()));
        }

        await vault.SaveAsync(connection, values, cancellationToken);
        if (seal)
        {
            await vault.SyncSuppressionsAsync(connection, values.Select(v => v.Item3), cancellationToken);
        }

        await connection.ExecuteStatementAsync(
            "encryption/write_messages",
            [
                ("ids", written.ConvertAll(w => w.Id).ToArray()), ("recipients", written.ConvertAll(w => w.Recipient).ToArray()),
                ("payloads", written.ConvertAll(w => w.Payload).ToArray()),
            ],
            cancellationToken);
        return (ids[^1], written.Count);

        Func<string?, string, string> Reveal(string lead, string channel) => (property, text) => Sealer.Replace(text, token =>
        {
            if (opened.GetValueOrDefault((lead, token)).Text is { } value)
            {
                return MessageTexts.Written(value, property, channel);
            }

            Unreadable++;
            return token;
        });
    }

    private static IEnumerable<string> Numbers(string channel, string? recipient, JsonNode payload) =>
        ((string?[])[channel == "call" ? recipient : null, MessageTexts.Of(payload, "phone"), MessageTexts.Of(payload, "metadata", "lead_phone")])
            .OfType<string>().Where(n => n.Length > 0 && !n.StartsWith(Sealer.Prefix, StringComparison.Ordinal)).Distinct(StringComparer.Ordinal);

    private Func<string?, string, string> Seal(long leadId, IEnumerable<string> numbers, List<(long, string, string)> values)
    {
        var tokens = numbers.OrderByDescending(n => n.Length).Select(n => (Number: n, Token: _sealer.PhoneToken(n))).ToList();
        values.AddRange(tokens.Select(t => (leadId, t.Token, t.Number)));
        return (_, text) =>
        {
            foreach (var (number, token) in tokens)
            {
                text = text == number ? token
                    : PhoneDigits.Identify(PhoneDigits.Of(number))
                        ? text.Replace(number, token, StringComparison.Ordinal).Replace(HtmlEncoder.Default.Encode(number), token, StringComparison.Ordinal)
                    : text;
            }

            return text;
        };
    }

    private async Task<(long?, long)> TasksAsync(NpgsqlConnection connection, long after, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryStatementAsync(
            "encryption/next_tasks", [("after", after), ("limit", SweepPages.Rows)],
            row => new Row(row.GetInt64(0), row.GetInt64(1), row.GetString(2), row.GetString(3), Text(row, 4)), cancellationToken);
        if (rows.Count == 0)
        {
            return (null, 0);
        }

        var changes = await ChangeAsync(connection, rows, cancellationToken);
        await connection.ExecuteStatementAsync(
            "encryption/write_tasks",
            [
                ("ids", changes.ConvertAll(c => c.Row.Id).ToArray()), ("titles", changes.ConvertAll(c => c.Phone).ToArray()),
                ("descriptions", changes.ConvertAll(c => c.Notes).ToArray()),
            ],
            cancellationToken);
        return (rows[^1].Id, changes.Count);
    }

    private async Task<long> SealedAsync(CancellationToken cancellationToken)
    {
        var rotated = 0L;
        for (var after = (LeadId: 0L, Token: ""); ;)
        {
            var page = await _pages.InTransactionAsync(
                async (connection, token) =>
                {
                    var rows = await connection.QueryStatementAsync(
                        "encryption/next_sealed",
                        [("after", after.LeadId), ("after_token", after.Token), ("key", _sealer.Keys.Current), ("limit", SweepPages.Rows)],
                        row => (LeadId: row.GetInt64(0), Token: row.GetString(1), Sealed: row.GetFieldValue<byte[]>(2)),
                        token);
                    var readable = rows.Select(r => (r.LeadId, r.Token, vault.Open(r.LeadId, r.Token, r.Sealed).Text)).Where(r => r.Text is not null).ToList();
                    await connection.ExecuteStatementAsync(
                        "encryption/reseal",
                        [
                            ("key", _sealer.Keys.Current), ("lead_ids", readable.ConvertAll(r => r.LeadId).ToArray()),
                            ("tokens", readable.ConvertAll(r => r.Token).ToArray()),
                            ("sealed", readable.ConvertAll(r => _sealer.Seal(r.LeadId, r.Token, r.Text!)).ToArray()),
                        ],
                        token);
                    return (Rows: rows, Readable: readable.Count);
                },
                cancellationToken);
            if (page.Rows.Count == 0)
            {
                return rotated;
            }

            Unreadable += page.Rows.Count - page.Readable;
            rotated += page.Readable;
            advance(page.Rows.Count);
            after = (page.Rows[^1].LeadId, page.Rows[^1].Token);
        }
    }

    private async Task UnusedAsync(CancellationToken cancellationToken)
    {
        for (var after = (LeadId: 0L, Token: ""); ;)
        {
            var page = await _pages.InTransactionAsync(
                (connection, token) => connection.QueryStatementAsync(
                    "encryption/judge_unused", [("after", after.LeadId), ("after_token", after.Token), ("limit", SweepPages.Rows)],
                    row => (LeadId: row.GetInt64(0), Token: row.GetString(1), Removed: row.GetInt64(2)), token),
                cancellationToken);
            if (page.Count == 0)
            {
                return;
            }

            Removed += page[0].Removed;
            after = (page[0].LeadId, page[0].Token);
        }
    }

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    /// <param name="Id">Of the row.</param>
    /// <param name="LeadId">Of its lead.</param>
    /// <param name="ExtId">Of its lead.</param>
    /// <param name="Phone">Or another short text.</param>
    /// <param name="Notes">Or another long text.</param>
    private sealed record Row(long Id, long LeadId, string ExtId, string? Phone, string? Notes);
}
