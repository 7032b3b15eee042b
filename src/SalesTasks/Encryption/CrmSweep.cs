using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Encryption;

/// <summary>The tables of the CRM sync, whose phones and notes are sealed each for its own place, and not behind tokens of leads.</summary>
/// <param name="pages">Goes through the tables.</param>
/// <param name="sealer">Seals and opens.</param>
/// <param name="seal">False: put back in clear.</param>
/// <param name="rotate">Texts under older keys too.</param>
internal sealed class CrmSweep(SweepPages pages, Sealer sealer, bool seal, bool rotate)
{
    /// <summary>Rows with a text that is not sealed with this key; empty: with any; null: rows with a sealed text.</summary>
    private readonly string? _key = !seal ? null : rotate ? sealer.Keys.Current : "";

    /// <summary>Texts that do not open; they stay as they are.</summary>
    public long Unreadable { get; private set; }

    /// <returns>Rows that were changed.</returns>
    public async Task<long> RunAsync(CancellationToken cancellationToken) =>
        await pages.RunAsync(LinksAsync, cancellationToken) + await pages.RunAsync(ConflictsAsync, cancellationToken) + await StagedAsync(cancellationToken);

    private async Task<(long?, long)> LinksAsync(NpgsqlConnection connection, long after, CancellationToken cancellationToken)
    {
        string[] columns = ["our_base", "their_base", "sending", "problem_values"];
        var rows = await connection.QueryStatementAsync(
            "encryption/next_crm_links", [("after", after), ("key", _key), ("limit", SweepPages.Rows)],
            row => (Id: row.GetInt64(0), Documents: Array.ConvertAll([1, 2, 3, 4], i => Text(row, i))), cancellationToken);
        if (rows.Count == 0)
        {
            return (null, 0);
        }

        var written = rows.ConvertAll(r => (r.Id, Documents: r.Documents.Select((d, i) => SealedPlaces.Change(
            d, (field, text) => Changed(SealedPlaces.Link(r.Id, columns[i], field), text))).ToArray()));
        await connection.ExecuteStatementAsync(
            "encryption/write_crm_links",
            [
                ("ids", written.ConvertAll(w => w.Id).ToArray()), ("our_bases", written.ConvertAll(w => w.Documents[0]).ToArray()),
                ("their_bases", written.ConvertAll(w => w.Documents[1]).ToArray()), ("sendings", written.ConvertAll(w => w.Documents[2]).ToArray()),
                ("problem_values", written.ConvertAll(w => w.Documents[3]).ToArray()),
            ],
            cancellationToken);
        return (rows[^1].Id, rows.Count);
    }

    private async Task<(long?, long)> ConflictsAsync(NpgsqlConnection connection, long after, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryStatementAsync(
            "encryption/next_crm_conflicts", [("after", after), ("key", _key), ("limit", SweepPages.Rows)],
            row => (
                Id: row.GetInt64(0), Link: row.GetInt64(1), Version: row.GetInt32(2), Field: row.GetString(3),
                Base: Text(row, 4), Ours: Text(row, 5), Theirs: Text(row, 6)),
            cancellationToken);
        if (rows.Count == 0)
        {
            return (null, 0);
        }

        string?[] Column(string name, Func<(long Id, long Link, int Version, string Field, string? Base, string? Ours, string? Theirs), string?> value) =>
            [.. rows.Select(r => value(r) is { Length: > 0 } text ? Changed(SealedPlaces.Conflict(r.Link, r.Version, name, r.Field), text) : value(r))];
        await connection.ExecuteStatementAsync(
            "encryption/write_crm_conflicts",
            [
                ("ids", rows.ConvertAll(r => r.Id).ToArray()), ("base_values", Column("base_value", r => r.Base)),
                ("our_values", Column("our_value", r => r.Ours)), ("their_values", Column("their_value", r => r.Theirs)),
            ],
            cancellationToken);
        return (rows[^1].Id, rows.Count);
    }

    private async Task<long> StagedAsync(CancellationToken cancellationToken)
    {
        var changed = 0L;
        for (var after = (Crm: "", Object: "", Id: ""); ;)
        {
            var rows = await pages.InTransactionAsync(
                async (connection, token) =>
                {
                    var page = await connection.QueryStatementAsync(
                        "encryption/next_crm_staged",
                        [("after_crm", after.Crm), ("after_object", after.Object), ("after_id", after.Id), ("key", _key), ("limit", SweepPages.Rows)],
                        row => (Crm: row.GetString(0), Object: row.GetString(1), Id: row.GetString(2), Properties: row.GetString(3)),
                        token);
                    await connection.ExecuteStatementAsync(
                        "encryption/write_crm_staged",
                        [
                            ("crms", page.ConvertAll(r => r.Crm).ToArray()), ("objects", page.ConvertAll(r => r.Object).ToArray()),
                            ("crm_ids", page.ConvertAll(r => r.Id).ToArray()),
                            ("properties", page.ConvertAll(r => SealedPlaces.Change(
                                r.Properties, (field, text) => Changed(SealedPlaces.Staged(r.Crm, r.Object, r.Id, field), text))).ToArray()),
                        ],
                        token);
                    return page;
                },
                cancellationToken);
            if (rows.Count == 0)
            {
                return changed;
            }

            after = (rows[^1].Crm, rows[^1].Object, rows[^1].Id);
            changed += rows.Count;
        }
    }

    /// <summary>A text of the CRM sync sealed with the current key, or in clear; one that does not open stays.</summary>
    private string Changed(string place, string text)
    {
        try
        {
            var clear = sealer.OpenText(place, text);
            return seal ? sealer.SealText(place, clear) : clear;
        }
        catch (SealBrokenException)
        {
            Unreadable++;
            return text;
        }
    }

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
