using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Crm;

/// <summary>People who are in the CRM already: their records are taken over, not doubled.</summary>
internal sealed class PushPeople(PushRun run)
{
    private readonly CrmSession _session = run.Session;

    /// <summary>
    /// Where the CRM takes two people with the same address: new leads whose person is there already take that record over, and are merged
    /// with it. Asked for many at once, before the first is created; what the CRM has from us already is no match.
    /// </summary>
    public async Task TakeOverAsync(CancellationToken cancellationToken)
    {
        var map = _session.Mapping.Leads;
        var field = map.Fields.FirstOrDefault(f => f.Theirs == map.Match);
        if (_session.Crm.Limits.Match == 0 || field is null)
        {
            return;
        }

        var left = run.Context.MaxLeads;
        for (var after = 0L; left > 0;)
        {
            await using var connection = await run.Context.Database.OpenAsync(cancellationToken);
            var links = await connection.QueryStatementAsync(
                "crm/pending_page",
                _session.Store.Of(CrmObject.Lead, ("after", after), ("limit", Math.Min(_session.Crm.Limits.Match, left))),
                _session.Store.Link,
                cancellationToken);
            if (links.Count == 0)
            {
                return;
            }

            after = links[^1].Id;
            left -= links.Count;
            var facts = await _session.Store.FactsAsync(connection, CrmObject.Lead, [.. links.Select(l => l.Id)], cancellationToken);
            await connection.CloseAsync();
            var wanted = links.Where(l => l is { CrmId: null, Status: "active", Base.Sending: null, ProblemValues: null } && facts.ContainsKey(l.Id))
                .Select(l => (Link: l, Value: _session.Encode(map, l.Base, facts[l.Id])[field.Ours.Name]))
                .Where(w => w.Value is not null).ToList();
            if (wanted.Count > 0)
            {
                await TakeOverAsync(map.Match!, wanted, cancellationToken);
            }
        }
    }

    private async Task TakeOverAsync(string match, List<(CrmLink Link, string? Value)> wanted, CancellationToken cancellationToken)
    {
        var values = wanted.Select(w => w.Value!).Distinct(StringComparer.Ordinal).ToList();
        var records = (await _session.Crm.ReadAsync(CrmObject.Lead, CrmLookup.Match, values, cancellationToken)).Where(r => r.Key is null).ToList();
        var there = records.Select(r => r.Properties.GetValueOrDefault(match)).ToHashSet(StringComparer.OrdinalIgnoreCase);
        wanted = wanted.FindAll(w => there.Contains(w.Value));
        if (wanted.Count == 0)
        {
            return;
        }

        run.Counts["adopted"] += await run.Context.Database.InTransactionAsync(
            async (connection, _, token) =>
            {
                var links = await _session.Store.LockAsync(connection, [.. wanted.Select(w => w.Link.Id)], null, token);
                var free = await FreeAsync(connection, CrmObject.Lead, records, token);
                var taken = new List<LinkChange>();
                foreach (var link in links.Where(l => l is { CrmId: null, Base.Sending: null, Leased: false }))
                {
                    var value = wanted.Find(w => w.Link.Id == link.Id).Value;
                    if (free.Find(r => string.Equals(r.Properties.GetValueOrDefault(match), value, StringComparison.OrdinalIgnoreCase)) is { } record)
                    {
                        free.Remove(record);
                        taken.Add(new LinkChange(link.Id) { CrmId = record.Id });
                    }
                }

                await _session.Store.SaveAsync(connection, taken, null, token);
                return taken.Count;
            },
            cancellationToken);
    }

    /// <summary>Those of records that no link has.</summary>
    private async Task<List<CrmRecord>> FreeAsync(
        NpgsqlConnection connection, CrmObject kind, IReadOnlyList<CrmRecord> records, CancellationToken cancellationToken)
    {
        var held = await _session.Store.HoldersAsync(connection, kind, records, cancellationToken);
        return [.. records.Where(r => !held.Contains(r.Id))];
    }

    /// <summary>
    /// The records that already have a person's e-mail address: the link takes them over where no other has them, and the next round merges.
    /// </summary>
    public async Task<Dictionary<long, string>> AdoptAsync(
        CrmObject kind, List<PushWrite> writes, IReadOnlyList<CrmOutcome> outcomes, CancellationToken cancellationToken)
    {
        var adopted = new Dictionary<long, string>();
        var map = _session.Mapping.Of(kind);
        var matchField = map.Fields.FirstOrDefault(f => f.Theirs == map.Match)?.Ours.Name;
        var duplicates = writes.Where((w, i) => outcomes[i].Kind is CrmOutcomeKind.Duplicate && w.CrmId is null).ToList();
        if (matchField is null || duplicates.Count == 0)
        {
            return adopted;
        }

        var values = duplicates.Select(w => w.Values.GetValueOrDefault(matchField)).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        var records = values.Count == 0 ? [] : await _session.Crm.ReadAsync(kind, CrmLookup.Match, values, cancellationToken);
        // Two leads of one address in the same batch: the record that was made for the first is the first's, although that is not recorded yet.
        var made = outcomes.Where(o => o.Record is not null).Select(o => o.Record!.Id).ToHashSet(StringComparer.Ordinal);
        var free = await run.Context.Database.InTransactionAsync(
            (connection, _, token) => FreeAsync(connection, kind, [.. records.Where(r => !made.Contains(r.Id))], token), cancellationToken);
        foreach (var write in duplicates)
        {
            var match = free.Find(r => string.Equals(
                r.Properties.GetValueOrDefault(map.Match!), write.Values.GetValueOrDefault(matchField), StringComparison.OrdinalIgnoreCase));
            if (match is not null)
            {
                free.Remove(match);
                adopted[write.Link.Id] = match.Id;
            }
        }

        return adopted;
    }
}
