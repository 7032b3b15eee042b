using Npgsql;
using SalesTasks.Database;
using SalesTasks.Encryption;

namespace SalesTasks.Leads;

/// <summary>
/// Seals the phone numbers of an import: rows are staged with tokens, so that they compare with what is stored; the values behind them are staged
/// beside, and become the leads' own in the transaction that writes the leads.
/// </summary>
internal sealed class ImportSeal(Vault vault)
{
    private readonly Dictionary<string, byte[]> _staging = new(StringComparer.Ordinal);

    /// <summary>The token to stage instead of a number. One that is a token already, from an export of this database, stays.</summary>
    public string Phone(long importId, string text)
    {
        if (Sealer.IsToken(text))
        {
            return text;
        }

        var token = vault.Sealer.PhoneToken(text);
        if (!_staging.ContainsKey(token))
        {
            _staging.Add(token, vault.Sealer.Seal(SealedPlaces.Import(importId, token), text));
        }

        return token;
    }

    /// <summary>A row of the file as it is kept for the reject file.</summary>
    public string Record(long importId, string raw) => vault.Sealer.SealText(SealedPlaces.Import(importId, "raw"), raw);

    /// <summary>A row of the file as it was.</summary>
    public string OpenRecord(long importId, string raw) => vault.OpenText(SealedPlaces.Import(importId, "raw"), raw);

    /// <summary>Stages the values of the rows that were written since, in the transaction of the rows.</summary>
    public async Task FlushAsync(NpgsqlConnection connection, long importId, CancellationToken cancellationToken)
    {
        if (_staging.Count == 0)
        {
            return;
        }

        await connection.ExecuteStatementAsync(
            "encryption/stage_import",
            [("import_id", importId), ("tokens", _staging.Keys.ToArray()), ("sealed", _staging.Values.ToArray())], cancellationToken);
        _staging.Clear();
    }

    /// <summary>The numbers of staged rows with the leads that the rows are for.</summary>
    public async Task<List<StagedPhone>> StagedAsync(NpgsqlConnection connection, long importId, long first, long last, CancellationToken cancellationToken) =>
        await connection.QueryStatementAsync(
            "encryption/staged_phones",
            [("import_id", importId), ("first", first), ("last", last)],
            row => new StagedPhone(
                row.IsDBNull(1) ? row.GetString(0) : row.GetString(1), row.GetString(2),
                vault.Sealer.Open(SealedPlaces.Import(importId, row.GetString(2)), row.GetFieldValue<byte[]>(3))),
            cancellationToken);

    /// <summary>Gives leads that took a staged number its value.</summary>
    public async Task SaveAsync(NpgsqlConnection connection, IReadOnlyCollection<StagedPhone> staged, CancellationToken cancellationToken)
    {
        if (staged.Count == 0)
        {
            return;
        }

        var taken = await connection.QueryStatementAsync(
            "encryption/imported",
            [("leads", staged.Select(s => s.Lead).ToArray()), ("tokens", staged.Select(s => s.Token).ToArray())],
            row => (LeadId: row.GetInt64(0), Token: row.GetString(1)), cancellationToken);
        var texts = staged.DistinctBy(s => s.Token).ToDictionary(s => s.Token, s => s.Text, StringComparer.Ordinal);
        await vault.SaveAsync(connection, taken.ConvertAll(t => (t.LeadId, t.Token, texts[t.Token])), cancellationToken);
        await vault.SyncSuppressionsAsync(connection, taken.Select(t => texts[t.Token]), cancellationToken);
    }

    /// <summary>The digits that a number is compared by, as the token of that number has them.</summary>
    public string? Key(string? digits) =>
        digits is not { Length: > 5 } || digits.Length == PhoneDigits.OfToken ? digits : PhoneDigits.Of(vault.Sealer.PhoneToken(digits));
}

/// <summary>A number of a staged row.</summary>
/// <param name="Lead">The lead that the row is for.</param>
/// <param name="Token">What the row holds.</param>
/// <param name="Text">The number.</param>
internal sealed record StagedPhone(string Lead, string Token, string Text);
