using System.Text.Json.Nodes;
using static SalesTasks.Crm.CrmAnswers;

namespace SalesTasks.Crm;

/// <summary>
/// Calls that change up to <see cref="Size"/> records at once, with an outcome for each. What is locked at the moment is tried again.
/// </summary>
/// <remarks>https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm.</remarks>
internal sealed class SalesforceCollections(SalesforceSession session, TimeProvider time)
{
    public const int Size = 200;

    /// <summary>What attaches a contact to an opportunity.</summary>
    public const string Roles = "OpportunityContactRole";

    private const int Tries = 3;

    /// <summary>One outcome for each record, in their order.</summary>
    /// <param name="type">Of the records.</param>
    /// <param name="key">The field that tells whether a record is there already; null: all are, and have their ids.</param>
    /// <param name="records">At most <see cref="Size"/>, or none.</param>
    /// <param name="cancellationToken">Asked to stop.</param>
    /// <exception cref="CrmBatchRefusedException">Nothing was written.</exception>
    public async Task<CrmOutcome[]> WriteAsync(string type, string? key, IReadOnlyList<JsonObject> records, CancellationToken cancellationToken)
    {
        var outcomes = new CrmOutcome[records.Count];
        var left = Enumerable.Range(0, records.Count).ToList();
        for (var attempt = 1; left.Count > 0; attempt++)
        {
            var told = await TryWriteAsync(type, key, left.ConvertAll(i => records[i]), cancellationToken);
            foreach (var (n, i) in left.Index())
            {
                outcomes[i] = told[n];
            }

            left.RemoveAll(i => outcomes[i].Kind is not CrmOutcomeKind.Later);
            if (left.Count == 0 || attempt == Tries)
            {
                break;
            }

            await Task.Delay(TimeSpan.FromSeconds(attempt), time, cancellationToken);
        }

        return outcomes;
    }

    /// <summary>
    /// Contact roles. Salesforce takes the same role twice, so what is there is asked for first, and a call whose answer is lost is not
    /// repeated blindly.
    /// </summary>
    public async Task RelateAsync(IReadOnlyList<(string DealId, string LeadId)> pairs, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var there = (await session.FindAsync(
                    $"SELECT OpportunityId, ContactId FROM {Roles}", "OpportunityId", [.. pairs.Select(p => p.DealId)], "", false, cancellationToken))
                .Select(r => (Text(r, "OpportunityId"), Text(r, "ContactId"))).ToHashSet();
            var missing = pairs.Where(p => !there.Contains(p)).ToList();
            try
            {
                foreach (var chunk in missing.Chunk(Size))
                {
                    await RelateChunkAsync(chunk, cancellationToken);
                }

                return;
            }
            catch (JobException exception) when (exception.ExitCode is ExitCode.TemporaryFailure && attempt < Tries)
            {
                await Task.Delay(TimeSpan.FromSeconds(attempt), time, cancellationToken);
            }
        }
    }

    /// <summary>Into the recycle bin.</summary>
    /// <returns>Those that were put there now; the others were gone.</returns>
    /// <exception cref="CrmBatchRefusedException">Some are not deleted.</exception>
    public async Task<HashSet<string>> DeleteAsync(IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        var binned = new HashSet<string>(StringComparer.Ordinal);
        List<string> left = [.. ids];
        for (var attempt = 1; ; attempt++)
        {
            var answer = await session.SendAsync(
                HttpMethod.Delete, $"composite/sobjects?ids={string.Join(',', left.Select(Uri.EscapeDataString))}&allOrNone=false", null, cancellationToken);
            if (!answer.Succeeded)
            {
                throw SalesforceQueries.Refused(answer.Status, answer.Body);
            }

            var results = left.Zip((answer.Body as JsonArray ?? []).OfType<JsonObject>()).ToList();
            binned.UnionWith(results.Where(r => Flag(r.Second, "success")).Select(r => r.First));
            var refused = results.Where(r => !Flag(r.Second, "success")).Select(r => (Id: r.First, Outcome: Refusal(r.Second, key: null)))
                .Where(r => r.Outcome.Kind is not CrmOutcomeKind.Gone).ToList();
            if (refused.Count == 0)
            {
                return binned;
            }

            if (refused.Find(r => r.Outcome.Kind is not CrmOutcomeKind.Later) is { Outcome: { } outcome })
            {
                throw new CrmBatchRefusedException(outcome.Reason!);
            }

            if (attempt == Tries)
            {
                throw JobException.Temporary("Salesforce: records are locked by somebody else; the next run goes on where this one ends.");
            }

            left = refused.ConvertAll(r => r.Id);
            await Task.Delay(TimeSpan.FromSeconds(attempt), time, cancellationToken);
        }
    }

    private async Task<List<CrmOutcome>> TryWriteAsync(string type, string? key, List<JsonObject> records, CancellationToken cancellationToken)
    {
        var path = key is null ? "composite/sobjects" : $"composite/sobjects/{type}/{key}";
        var answer = await session.SendAsync(HttpMethod.Patch, path, Records(records.Select(r => r.DeepClone())), cancellationToken);
        if (!answer.Succeeded)
        {
            var reason = answer.Body is JsonArray { Count: > 0 } list && list[0] is { } first ? first : answer.Body;
            var message = Text(reason, "message") ?? $"HTTP {answer.Status}";
            return records.Count > 1 ? throw new CrmBatchRefusedException(message) : [new CrmOutcome(CrmOutcomeKind.Refused, null, message)];
        }

        var told = answer.Body as JsonArray ?? [];
        return [.. records.Select((_, n) => (n < told.Count ? told[n] as JsonObject : null) switch
        {
            null => new CrmOutcome(CrmOutcomeKind.Later, null, "Salesforce did not say what became of it"),
            // When it was modified the answer does not tell; what was read before is known to be older, see PushWrites.
            var result when Flag(result, "success") => new CrmOutcome(CrmOutcomeKind.Written, new CrmRecord(Text(result, "id")!, DateTimeOffset.UnixEpoch), null),
            var result => Refusal(result, key),
        })];
    }

    private async Task RelateChunkAsync((string DealId, string LeadId)[] pairs, CancellationToken cancellationToken)
    {
        var answer = await session.SendAsync(
            HttpMethod.Post,
            "composite/sobjects",
            Records(pairs.Select(p => new JsonObject
            {
                ["attributes"] = new JsonObject { ["type"] = Roles },
                ["OpportunityId"] = p.DealId,
                ["ContactId"] = p.LeadId,
                ["IsPrimary"] = true,
            })),
            cancellationToken,
            repeatable: false);
        if (!answer.Succeeded)
        {
            throw SalesforceQueries.Refused(answer.Status, answer.Body);
        }

        var refused = (answer.Body as JsonArray ?? []).OfType<JsonObject>().Where(r => !Flag(r, "success")).Select(r => Refusal(r, key: null)).ToList();
        if (refused.Exists(r => r.Kind is CrmOutcomeKind.Later))
        {
            throw JobException.Temporary("Salesforce: contact roles are locked by somebody else; the next run goes on where this one ends.");
        }

        if (refused.Count == pairs.Length && refused.TrueForAll(r => r.Kind is CrmOutcomeKind.Refused && !r.Reason!.StartsWith("INVALID_CROSS_REFERENCE_KEY", StringComparison.Ordinal)))
        {
            // Not a single one: it is not about the records.
            throw JobException.Refused($"Salesforce takes no contact roles ({refused[0].Reason!.Split(':')[0]}); check the permissions of the user the connection runs as.");
        }
    }

    private static CrmOutcome Refusal(JsonObject result, string? key)
    {
        var error = Items(result, "errors").FirstOrDefault();
        var fields = Items(error, "fields").Select(f => f?.ToString()).ToList();
        var code = Text(error, "statusCode");
        var kind = code switch
        {
            "UNABLE_TO_LOCK_ROW" or "SERVER_UNAVAILABLE" or "REQUEST_RUNNING_TOO_LONG" or "UNKNOWN_EXCEPTION" => CrmOutcomeKind.Later,
            // Another run made it at the same time.
            "DUPLICATE_VALUE" when key is not null && (fields.Contains(key) || Text(error, "message")?.Contains(key, StringComparison.Ordinal) is true) => CrmOutcomeKind.Later,
            "DUPLICATE_VALUE" or "DUPLICATES_DETECTED" => CrmOutcomeKind.Duplicate,
            "ENTITY_IS_DELETED" or "NOT_FOUND" => CrmOutcomeKind.Gone,
            "INVALID_CROSS_REFERENCE_KEY" when key is null && fields.TrueForAll(f => f is "Id" or "id") => CrmOutcomeKind.Gone,
            _ => CrmOutcomeKind.Refused,
        };
        return new CrmOutcome(kind, null, $"{code}: {Text(error, "message")}");
    }

    private static JsonObject Records(IEnumerable<JsonNode> records) => new() { ["allOrNone"] = false, ["records"] = new JsonArray([.. records]) };
}
