using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Database;

namespace SalesTasks.Encryption;

/// <summary>A value behind a token: its text, or why it does not open.</summary>
internal readonly record struct Opened(string? Text, string? Fault);

/// <summary>
/// Sealed phone numbers and notes of leads. Who reads a column that may hold a token, or writes such a value, opens the vault first; in a
/// database where nothing is sealed there is none, and that costs one look-up.
/// </summary>
internal sealed class Vault
{
    /// <summary>Why a token without a value of its lead does not open.</summary>
    public const string NotTheLeads = "A sealed value cannot be read: its token belongs to another lead or to none";

    private Vault(Sealer sealer, bool seals)
    {
        Sealer = sealer;
        Seals = seals;
    }

    public Sealer Sealer { get; }

    /// <summary>Whether what is written is to be sealed; false while <c>privacy decrypt</c> puts everything back.</summary>
    public bool Seals { get; }

    /// <summary>The vault of a database; null: nothing is sealed in it.</summary>
    /// <param name="database">The database.</param>
    /// <param name="ids">Which connection has the keys.</param>
    /// <param name="connections">Finds it.</param>
    /// <param name="writes">The caller seals: the current key is noted before.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="JobException">64: something is sealed and there is no connection, or it has another key under a known id.</exception>
    public static async Task<Vault?> OpenAsync(
        SalesDatabase database, ConnectionIds ids, ConnectionResolver connections, bool writes, CancellationToken cancellationToken)
    {
        var rows = await StateAsync(database, cancellationToken);
        if (rows.Count == 0)
        {
            return null;
        }

        EncryptionKeys keys;
        try
        {
            keys = EncryptionKeys.From(connections.Resolve(ids.Encryption));
        }
        catch (JobException fault) when (fault.ExitCode is ExitCode.Usage)
        {
            throw JobException.Usage(
                $"Phones and notes of this database are encrypted, and this step needs the keys ({ConnectionIds.EncryptionVariable}, default "
                + $"{ConnectionIds.DefaultEncryption}): {fault.Message}");
        }

        var seals = rows[0].Mode == "on";
        Check(keys, rows);
        if (seals && writes && rows.TrueForAll(r => r.Purpose != "seal" || r.KeyId != keys.Current))
        {
            await RegisterAsync(database, keys, cancellationToken);
        }

        return new Vault(new Sealer(keys), seals);
    }

    /// <summary>Turns sealing on, or the putting back: what jobs that start from now on go by.</summary>
    /// <exception cref="JobException">64: the keys are not those that sealed before.</exception>
    public static async Task<Vault> TurnAsync(SalesDatabase database, EncryptionKeys keys, bool seals, CancellationToken cancellationToken)
    {
        Check(keys, await StateAsync(database, cancellationToken));
        await database.ExecuteAsync("encryption/turn", [("mode", seals ? "on" : "ending")], cancellationToken);
        if (seals)
        {
            await RegisterAsync(database, keys, cancellationToken);
        }

        return new Vault(new Sealer(keys), seals);
    }

    /// <summary>Whether anything may be sealed.</summary>
    public static async Task<bool> IsUsedAsync(SalesDatabase database, CancellationToken cancellationToken) =>
        (await StateAsync(database, cancellationToken)).Count > 0;

    /// <summary>Whether jobs seal what they write.</summary>
    public static async Task<bool> IsOnAsync(SalesDatabase database, CancellationToken cancellationToken) =>
        (await StateAsync(database, cancellationToken)).Exists(r => r.Mode == "on");

    /// <summary>Compares keys with those that sealed before.</summary>
    /// <exception cref="JobException">64: they are others.</exception>
    public static async Task CheckAsync(SalesDatabase database, EncryptionKeys keys, CancellationToken cancellationToken) =>
        Check(keys, await StateAsync(database, cancellationToken));

    /// <summary>The values behind tokens of leads, by both. What is not there has no entry: the token is not that lead's.</summary>
    public async Task<Dictionary<(string Lead, string Token), Opened>> ReadAsync(
        NpgsqlConnection connection, IReadOnlyCollection<(string Lead, string Token)> wanted, CancellationToken cancellationToken)
    {
        if (wanted.Count == 0)
        {
            return [];
        }

        var rows = await connection.QueryStatementAsync(
            "encryption/read",
            [("leads", wanted.Select(w => w.Lead).ToArray()), ("tokens", wanted.Select(w => w.Token).ToArray())],
            row => (Lead: row.GetString(0), Token: row.GetString(1), LeadId: row.GetInt64(2), Sealed: row.GetFieldValue<byte[]>(3)),
            cancellationToken);
        return rows.ToDictionary(r => (r.Lead, r.Token), r => Open(r.LeadId, r.Token, r.Sealed));
    }

    /// <summary>A text of a lead with the values in the place of its tokens.</summary>
    /// <exception cref="JobException">69: one of them does not open.</exception>
    public async Task<string> RevealAsync(NpgsqlConnection connection, string lead, string text, CancellationToken cancellationToken)
    {
        var tokens = Sealer.TokensIn(text).ToList();
        if (tokens.Count == 0)
        {
            return text;
        }

        var opened = await ReadAsync(connection, tokens.ConvertAll(t => (lead, t)), cancellationToken);
        return Sealer.Replace(text, token => Text(opened, lead, token));
    }

    /// <summary>The value of a token among those that were read.</summary>
    /// <exception cref="JobException">69: it is not that lead's, or does not open.</exception>
    public static string Text(Dictionary<(string Lead, string Token), Opened> opened, string lead, string token) =>
        !opened.TryGetValue((lead, token), out var found) ? throw JobException.Refused(NotTheLeads) : found.Text ?? throw JobException.Refused(found.Fault!);

    /// <summary>A sealed text that stands by itself; what is not sealed is given back.</summary>
    /// <exception cref="JobException">69: it does not open.</exception>
    public string OpenText(string place, string text)
    {
        try
        {
            return Sealer.OpenText(place, text);
        }
        catch (SealBrokenException broken)
        {
            throw JobException.Refused(Refusal(broken.Message));
        }
    }

    /// <summary>Stores values of leads under their tokens.</summary>
    public async Task SaveAsync(
        NpgsqlConnection connection, IReadOnlyCollection<(long LeadId, string Token, string Text)> values, CancellationToken cancellationToken)
    {
        if (values.Count == 0)
        {
            return;
        }

        var distinct = values.DistinctBy(v => (v.LeadId, v.Token)).ToList();
        await connection.ExecuteStatementAsync(
            "encryption/save",
            [
                ("key_id", Sealer.Keys.Current), ("lead_ids", distinct.ConvertAll(v => v.LeadId).ToArray()),
                ("tokens", distinct.ConvertAll(v => v.Token).ToArray()),
                ("sealed", distinct.ConvertAll(v => Sealer.Seal(v.LeadId, v.Token, v.Text)).ToArray()),
            ],
            cancellationToken);
    }

    /// <summary>Has the suppression list know these numbers by their tokens as well, as far as it knows them at all.</summary>
    public async Task SyncSuppressionsAsync(NpgsqlConnection connection, IEnumerable<string> phones, CancellationToken cancellationToken)
    {
        var numbers = phones.Where(p => PhoneDigits.Of(p).Length > 5).Distinct(StringComparer.Ordinal).ToArray();
        if (numbers.Length > 0)
        {
            await connection.ExecuteStatementAsync(
                "encryption/sync_suppressions", [("numbers", numbers), ("tokens", Array.ConvertAll(numbers, Sealer.PhoneToken))], cancellationToken);
        }
    }

    /// <summary>The lasting numbers of leads.</summary>
    public static async Task<Dictionary<string, long>> LeadIdsAsync(NpgsqlConnection connection, string[] leads, CancellationToken cancellationToken) =>
        (await connection.QueryStatementAsync("encryption/lead_ids", [("leads", leads)], row => (row.GetString(0), row.GetInt64(1)), cancellationToken))
            .ToDictionary(r => r.Item1, r => r.Item2, StringComparer.Ordinal);

    public Opened Open(long leadId, string token, byte[] envelope) => Open(() => Sealer.Open(leadId, token, envelope));

    /// <summary>A value that stands by itself.</summary>
    public Opened Open(string place, byte[] envelope) => Open(() => Sealer.Open(place, envelope));

    private static Opened Open(Func<string> open)
    {
        try
        {
            return new Opened(open(), null);
        }
        catch (SealBrokenException broken)
        {
            return new Opened(null, Refusal(broken.Message));
        }
    }

    private static string Refusal(string fault) => "A sealed value cannot be read: " + fault;

    private static async Task<List<(string Mode, string? Purpose, string? KeyId, byte[]? Check)>> StateAsync(
        SalesDatabase database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await connection.QueryStatementAsync(
            "encryption/state",
            [],
            row => (row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), row.IsDBNull(3) ? null : row.GetFieldValue<byte[]>(3)),
            cancellationToken);
    }

    private static async Task RegisterAsync(SalesDatabase database, EncryptionKeys keys, CancellationToken cancellationToken)
    {
        foreach (var (purpose, id, key) in ((string, string, byte[])[])[("seal", keys.Current, keys.Find(keys.Current)!), ("index", "index", keys.Index.ToArray())])
        {
            await database.ExecuteAsync(
                "encryption/register_key", [("purpose", purpose), ("key_id", id), ("check_value", EncryptionKeys.CheckValue(key))], cancellationToken);
        }

        // Another run may have noted another key under the same id a moment before.
        Check(keys, await StateAsync(database, cancellationToken));
    }

    private static void Check(EncryptionKeys keys, IEnumerable<(string Mode, string? Purpose, string? KeyId, byte[]? Check)> rows)
    {
        foreach (var (_, purpose, id, check) in rows.Where(r => r.KeyId is not null))
        {
            var key = purpose == "index" ? keys.Index.ToArray() : keys.Find(id!);
            if (key is not null && !EncryptionKeys.CheckValue(key).AsSpan().SequenceEqual(check))
            {
                throw JobException.Usage(purpose == "index"
                    ? $"Connection '{keys.ConnectionId}': its extra index_secret is not the one that tokens were made with; allowed: that one"
                    : $"Connection '{keys.ConnectionId}': its key '{id}' is not the one that sealed under this id; allowed: that key, or a new id for a new key");
            }
        }
    }
}
