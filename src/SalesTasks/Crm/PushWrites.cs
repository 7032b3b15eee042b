namespace SalesTasks.Crm;

/// <summary>A record to send.</summary>
/// <param name="Link">As it was locked.</param>
/// <param name="CrmId">Null: it is created.</param>
/// <param name="Values">By our field, as the CRM writes them.</param>
/// <param name="AllOurs">All of our values.</param>
/// <param name="LeadCrmId">The CRM's lead that a deal belongs to.</param>
internal sealed record PushWrite(
    CrmLink Link, string? CrmId, IReadOnlyDictionary<string, string?> Values, IReadOnlyDictionary<string, string?> AllOurs, string? LeadCrmId);

/// <summary>Sends records to the CRM, and records what became of each.</summary>
internal sealed class PushWrites(PushRun run, CrmObject kind, PushPeople people)
{
    private readonly ObjectMapping _map = run.Session.Mapping.Of(kind);

    /// <summary>Sends, halves where the CRM refuses the whole because of one, and records what became of each.</summary>
    public async Task WriteAsync(List<PushWrite> writes, CancellationToken cancellationToken)
    {
        var theirName = _map.Fields.ToDictionary(f => f.Ours.Name, f => f.Theirs, StringComparer.Ordinal);
        IReadOnlyList<CrmOutcome> outcomes;
        try
        {
            run.Counts["write_calls"]++;
            outcomes = await run.Session.Crm.WriteAsync(
                kind,
                [
                    .. writes.Select(w => new CrmWrite(
                        w.Link.Key,
                        w.CrmId,
                        w.Values.Select(v => KeyValuePair.Create(theirName[v.Key], v.Value))
                            .Concat(w.CrmId is null ? _map.Constants.Select(c => KeyValuePair.Create(c.Key, (string?)c.Value)) : [])
                            .Where(v => v.Value is not null || w.CrmId is not null)
                            .DistinctBy(v => v.Key)
                            .ToDictionary(StringComparer.Ordinal),
                        w.LeadCrmId)),
                ],
                cancellationToken);
        }
        catch (CrmBatchRefusedException) when (writes.Count > 1)
        {
            await WriteAsync(writes[..(writes.Count / 2)], cancellationToken);
            await WriteAsync(writes[(writes.Count / 2)..], cancellationToken);
            return;
        }
        catch (CrmBatchRefusedException refused)
        {
            outcomes = [new CrmOutcome(CrmOutcomeKind.Refused, null, refused.Message)];
        }

        var adopted = await people.AdoptAsync(kind, writes, outcomes, cancellationToken);
        await run.SaveAsync(writes.Select((w, i) => Record(w, outcomes[i], adopted)));
        foreach (var (write, outcome) in writes.Zip(outcomes))
        {
            var count = outcome.Kind switch
            {
                CrmOutcomeKind.Written => PushRun.Name(kind, write.CrmId is null ? "created" : "updated"),
                CrmOutcomeKind.Gone => "gone",
                CrmOutcomeKind.Duplicate when adopted.ContainsKey(write.Link.Id) => "adopted",
                _ => "failed",
            };
            run.Counts[count]++;
        }
    }

    private LinkChange Record(PushWrite write, CrmOutcome outcome, Dictionary<long, string> adopted)
    {
        var released = new LinkChange(write.Link.Id) { Settled = true, Release = true };
        switch (outcome.Kind)
        {
            case CrmOutcomeKind.Written:
                var record = outcome.Record!;
                return released with
                {
                    Written = true,
                    CrmId = record.Id,
                    ModifiedAt = record.ModifiedAt,
                    OurBase = write.CrmId is null ? write.AllOurs : write.Values,
                    TheirBase = (write.CrmId is null ? _map.Fields.Where(f => !f.Ours.OnlyNew) : _map.Fields.Where(f => write.Values.ContainsKey(f.Ours.Name))).ToDictionary(
                        f => f.Ours.Name,
                        f => record.Properties.TryGetValue(f.Theirs, out var told)
                            ? run.Session.Values.Normalize(_map.Kind, f, told)
                            : write.Values.GetValueOrDefault(f.Ours.Name) ?? run.Session.Values.Empty(_map.Kind, f),
                        StringComparer.Ordinal),
                    LookedAt = write.Link.Changes,
                };
            case CrmOutcomeKind.Gone:
                return released with { Status = "deleted_there", LookedAt = write.Link.Changes };
            case CrmOutcomeKind.Later:
                return released;
            case CrmOutcomeKind.Duplicate when adopted.TryGetValue(write.Link.Id, out var id):
                return released with { CrmId = id };
            default:
                return released with
                {
                    Problem = CrmSession.Masked(outcome.Reason, write.AllOurs),
                    ProblemValues = write.AllOurs,
                    LookedAt = write.Link.Changes,
                };
        }
    }
}
