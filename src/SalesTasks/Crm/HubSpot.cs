using System.Globalization;
using System.Text.Json.Nodes;
using SalesTasks.Airflow;
using SalesTasks.Delivery;
using static SalesTasks.Crm.CrmAnswers;

namespace SalesTasks.Crm;

/// <summary>
/// HubSpot: contacts and deals by the v3 object API, associations by v4, a private app's token.
/// </summary>
/// <remarks>https://developers.hubspot.com/docs/reference/api/crm/objects, …/crm/search, …/crm/associations, …/other-resources/error-handling.</remarks>
internal sealed class HubSpot : ICrm
{
    /// <summary>The lowest of HubSpot's plans; a connection may say more.</summary>
    public static readonly CrmQuota StandardQuota = new(100, 10, 250_000);

    private const string DefaultAddress = "https://api.hubapi.com";
    private const string MergedIds = "hs_merged_object_ids";
    private const int SearchPage = 200;
    private const int ListPage = 100;

    private readonly CrmHttp _http;
    private readonly HttpSettings _settings;
    private readonly CrmMapping _mapping;

    public DateTimeOffset? Clock => _http.Clock;

    private HubSpot(CrmHttp http, HttpSettings settings, CrmMapping mapping) => (_http, _settings, _mapping) = (http, settings, mapping);

    public CrmLimits Limits { get; } = new(Write: 100, Read: 100, Relate: 2000);

    /// <exception cref="JobException">64: the connection is not usable.</exception>
    public static HubSpot Open(AirflowConnection connection, CrmMapping mapping, Func<CrmQuota, CrmHttp> http)
    {
        var settings = HttpSettings.FromHttp(
            string.IsNullOrEmpty(connection.Host) ? connection with { Host = DefaultAddress } : connection, "burst_limit", "daily_limit");
        if (connection.Password is null || !string.IsNullOrEmpty(connection.Login))
        {
            throw connection.Source.Fault("it needs the private app's token as password, and no login");
        }

        return new HubSpot(http(CrmQuotas.Read(connection, StandardQuota)), settings, mapping);
    }

    public async Task<CrmSchema> DescribeAsync(CrmObject kind, CancellationToken cancellationToken)
    {
        var name = Path(kind);
        var answer = await CallAsync(HttpMethod.Get, $"crm/v3/properties/{name}", null, cancellationToken);
        var fields = new Dictionary<string, CrmFieldInfo>(StringComparer.Ordinal);
        foreach (var property in Items(answer, "results"))
        {
            var type = Text(property, "type") switch
            {
                "number" => CrmValueType.Number,
                "datetime" => CrmValueType.Instant,
                "date" => CrmValueType.Day,
                "enumeration" or "bool" => CrmValueType.Choice,
                _ => CrmValueType.Text,
            };
            var options = Items(property, "options").Select(o => Text(o, "value") ?? "").ToList();
            var readOnly = Flag(property?["modificationMetadata"], "readOnlyValue");
            fields[Text(property, "name") ?? ""] = new CrmFieldInfo(
                type, Flag(property, "hasUniqueValue"), readOnly, options);
        }

        if (kind is CrmObject.Deal)
        {
            var pipelines = Items(await CallAsync(HttpMethod.Get, "crm/v3/pipelines/deals", null, cancellationToken), "results").ToList();
            var chosen = _mapping.Deals.Constants.GetValueOrDefault("pipeline");
            List<string> stages =
            [
                .. pipelines.Where(p => chosen is null || Text(p, "id") == chosen).SelectMany(p => Items(p, "stages")).Select(s => Text(s, "id") ?? ""),
            ];
            fields["dealstage"] = new CrmFieldInfo(CrmValueType.Choice, false, false, stages);
            fields["pipeline"] = new CrmFieldInfo(CrmValueType.Choice, false, false, [.. pipelines.Select(p => Text(p, "id") ?? "")]);
        }

        return new CrmSchema(name, fields);
    }

    public async Task<IReadOnlyDictionary<string, string>> ReadOwnersAsync(CancellationToken cancellationToken)
    {
        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        string? after = null;
        do
        {
            var answer = await CallAsync(HttpMethod.Get, $"crm/v3/owners?limit=100{After(after)}", null, cancellationToken);
            foreach (var owner in Items(answer, "results"))
            {
                if (Text(owner, "email") is { Length: > 0 } email)
                {
                    owners[Text(owner, "id")!] = email;
                }
            }

            after = Next(answer);
        }
        while (after is not null);

        return owners;
    }

    /// <summary>
    /// By id within the window, each page a search of its own that begins after the last id: the 10,000 results a search can show at most are
    /// never reached, and many records of the same millisecond are no matter.
    /// </summary>
    public async Task<CrmPage> ReadChangesAsync(CrmObject kind, CrmWindow window, string? page, CancellationToken cancellationToken)
    {
        var request = new JsonObject
        {
            ["filterGroups"] = new JsonArray(new JsonObject
            {
                ["filters"] = new JsonArray(
                    new JsonObject
                    {
                        ["propertyName"] = kind is CrmObject.Lead ? "lastmodifieddate" : "hs_lastmodifieddate",
                        ["operator"] = "BETWEEN",
                        ["value"] = Milliseconds(window.From),
                        ["highValue"] = Milliseconds(window.To),
                    },
                    new JsonObject { ["propertyName"] = "hs_object_id", ["operator"] = "GT", ["value"] = page ?? "0" }),
            }),
            ["sorts"] = new JsonArray(new JsonObject { ["propertyName"] = "hs_object_id", ["direction"] = "ASCENDING" }),
            ["properties"] = Names(kind),
            ["limit"] = SearchPage,
        };
        var answer = await CallAsync(HttpMethod.Post, $"crm/v3/objects/{Path(kind)}/search", request, cancellationToken);
        var records = Items(answer, "results").Select(r => Record(kind, r)).ToList();
        if (kind is CrmObject.Deal)
        {
            records = await WithContactsAsync(records, cancellationToken);
        }

        var total = answer?["total"]?.GetValue<long>() ?? 0;
        return new CrmPage(records, records.Count > 0 && total > records.Count ? records[^1].Id : null);
    }

    public async Task<CrmPage> ReadDeletedAsync(CrmObject kind, CrmWindow window, string? page, CancellationToken cancellationToken)
    {
        var answer = await CallAsync(
            HttpMethod.Get, $"crm/v3/objects/{Path(kind)}?archived=true&limit={ListPage}{After(page)}", null, cancellationToken);
        var records = Items(answer, "results")
            .Select(r => new CrmRecord(Text(r, "id")!, Instant(Text(r, "archivedAt") ?? Text(r, "updatedAt"))) { Deleted = true })
            .Where(r => r.ModifiedAt >= window.From);
        return new CrmPage([.. records], Next(answer));
    }

    public async Task<IReadOnlyList<CrmRecord>> ReadAsync(
        CrmObject kind, CrmLookup by, IReadOnlyList<string> values, CancellationToken cancellationToken)
    {
        var request = new JsonObject
        {
            ["inputs"] = new JsonArray([.. values.Select(v => new JsonObject { ["id"] = v })]),
            ["properties"] = Names(kind),
            ["propertiesWithHistory"] = new JsonArray(),
        };
        if (by is not CrmLookup.Id)
        {
            request["idProperty"] = by is CrmLookup.Key ? _mapping.Of(kind).Key : _mapping.Of(kind).Match;
        }

        // 207 where some are not there.
        var answer = await CallAsync(HttpMethod.Post, $"crm/v3/objects/{Path(kind)}/batch/read", request, cancellationToken);
        return [.. Items(answer, "results").Select(r => Record(kind, r))];
    }

    public async Task<IReadOnlyList<CrmOutcome>> WriteAsync(CrmObject kind, IReadOnlyList<CrmWrite> records, CancellationToken cancellationToken)
    {
        var outcomes = new CrmOutcome[records.Count];
        foreach (var known in (bool[])[true, false])
        {
            var indexes = Enumerable.Range(0, records.Count).Where(i => records[i].Id is not null == known).ToList();
            if (indexes.Count > 0)
            {
                await WriteAsync(kind, records, indexes, known, outcomes, cancellationToken);
            }
        }

        return outcomes;
    }

    public async Task RelateAsync(IReadOnlyList<(string DealId, string LeadId)> pairs, CancellationToken cancellationToken)
    {
        var request = new JsonObject
        {
            ["inputs"] = new JsonArray(
            [
                .. pairs.Select(p => new JsonObject
                {
                    ["from"] = new JsonObject { ["id"] = p.DealId },
                    ["to"] = new JsonObject { ["id"] = p.LeadId },
                }),
            ]),
        };
        // 207 where one of the two is gone by now: nothing is left to attach.
        await CallAsync(HttpMethod.Post, "crm/v4/associations/deals/contacts/batch/associate/default", request, cancellationToken);
    }

    public async Task DeleteAsync(CrmObject kind, IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        var request = new JsonObject { ["inputs"] = new JsonArray([.. ids.Select(id => new JsonObject { ["id"] = id })]) };
        await CallAsync(HttpMethod.Post, $"crm/v3/objects/{Path(kind)}/batch/archive", request, cancellationToken);
    }

    /// <summary>
    /// Contacts one by one, with all that HubSpot keeps of them, and their addresses barred. There is no such call for deals: they are archived,
    /// and HubSpot deletes them for good after 90 days.
    /// </summary>
    /// <remarks>https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/basic/post-crm-v3-objects-contacts-gdpr-delete.</remarks>
    public async Task EraseAsync(CrmObject kind, IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        if (kind is CrmObject.Deal)
        {
            await DeleteAsync(kind, ids, cancellationToken);
            return;
        }

        foreach (var id in ids)
        {
            const string Path = "crm/v3/objects/contacts/gdpr-delete";
            var answer = await SendAsync(HttpMethod.Post, Path, new JsonObject { ["objectId"] = id }, cancellationToken);
            if (!answer.Succeeded && answer.Status is not 404)
            {
                throw JobException.Refused($"HubSpot: HTTP {answer.Status} for {Path}{Category(answer.Body)}; check the app's scopes.");
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>One call for those with an id, or for those without.</summary>
    private async Task WriteAsync(
        CrmObject kind, IReadOnlyList<CrmWrite> records, List<int> indexes, bool known, CrmOutcome[] outcomes, CancellationToken cancellationToken)
    {
        var key = _mapping.Of(kind).Key;
        var inputs = new JsonArray();
        foreach (var i in indexes)
        {
            var input = new JsonObject
            {
                ["id"] = records[i].Id ?? records[i].Key,
                ["properties"] = new JsonObject(records[i].Properties.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)(p.Value ?? "")))),
                // Makes HubSpot judge each record alone and say which one failed.
                ["objectWriteTraceId"] = i.ToString(CultureInfo.InvariantCulture),
            };
            if (!known)
            {
                input["idProperty"] = key;
            }

            inputs.Add(input);
        }

        var path = $"crm/v3/objects/{Path(kind)}/batch/{(known ? "update" : "upsert")}";
        var answer = await SendAsync(HttpMethod.Post, path, new JsonObject { ["inputs"] = inputs }, cancellationToken);
        if (!answer.Succeeded)
        {
            if (indexes.Count > 1)
            {
                throw new CrmBatchRefusedException(Reason(answer.Body));
            }

            outcomes[indexes[0]] = Refusal(answer.Body);
            return;
        }

        foreach (var error in Items(answer.Body, "errors"))
        {
            foreach (var trace in Items(error?["context"], "objectWriteTraceId"))
            {
                if (int.TryParse(trace?.GetValue<string>(), NumberStyles.None, CultureInfo.InvariantCulture, out var i) && indexes.Contains(i))
                {
                    outcomes[i] = Refusal(error);
                }
            }
        }

        foreach (var result in Items(answer.Body, "results"))
        {
            var record = Record(kind, result);
            var i = Text(result, "objectWriteTraceId") is { } trace && int.TryParse(trace, NumberStyles.None, CultureInfo.InvariantCulture, out var traced)
                ? traced
                : indexes.FirstOrDefault(n => known ? records[n].Id == record.Id : records[n].Key == record.Key, -1);
            if (indexes.Contains(i))
            {
                outcomes[i] = new CrmOutcome(CrmOutcomeKind.Written, record, null);
            }
        }

        foreach (var i in indexes.Where(i => outcomes[i] is null))
        {
            outcomes[i] = new CrmOutcome(CrmOutcomeKind.Later, null, "HubSpot did not say what became of it");
        }
    }

    /// <summary>The contacts of deals that are not of our making.</summary>
    private async Task<List<CrmRecord>> WithContactsAsync(List<CrmRecord> deals, CancellationToken cancellationToken)
    {
        var unknown = deals.Where(d => d.Key is null).ToList();
        if (unknown.Count == 0)
        {
            return deals;
        }

        var request = new JsonObject { ["inputs"] = new JsonArray([.. unknown.Select(d => new JsonObject { ["id"] = d.Id })]) };
        var answer = await CallAsync(HttpMethod.Post, "crm/v4/associations/deals/contacts/batch/read", request, cancellationToken);
        var contacts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var result in Items(answer, "results"))
        {
            if (Text(result?["from"], "id") is { } deal && Items(result, "to").FirstOrDefault()?["toObjectId"] is { } contact)
            {
                contacts[deal] = contact.ToString();
            }
        }

        return deals.ConvertAll(d => d.Key is null && contacts.TryGetValue(d.Id, out var contact) ? d with { RelatedId = contact } : d);
    }

    /// <summary>A call about the connection: whatever is not a success ends the run.</summary>
    private async Task<JsonNode?> CallAsync(HttpMethod method, string path, JsonNode? body, CancellationToken cancellationToken)
    {
        var answer = await SendAsync(method, path, body, cancellationToken);
        return answer.Succeeded
            ? answer.Body
            : throw JobException.Refused($"HubSpot: HTTP {answer.Status} for {path.Split('?')[0]}{Category(answer.Body)}; check the mapping and the app's scopes.");
    }

    private async Task<CrmAnswer> SendAsync(HttpMethod method, string path, JsonNode? body, CancellationToken cancellationToken)
    {
        var address = new Uri($"{_settings.Address.ToString().TrimEnd('/')}/{path}");
        var answer = await _http.SendAsync(new CrmRequest(method, address, _settings.Headers) { Body = body }, Limit, cancellationToken);
        return answer.Status switch
        {
            401 => throw JobException.Refused(
                $"HubSpot does not accept the token of connection '{_settings.Receiver.ConnectionId}' (HTTP 401{Category(answer.Body)}); put the private app's current token into its password."),
            403 => throw JobException.Refused(
                $"HubSpot does not allow connection '{_settings.Receiver.ConnectionId}' this call (HTTP 403{Category(answer.Body)}); add the scopes of docs/crm.md to the private app."),
            _ => answer,
        };
    }

    private static CrmLimit? Limit(CrmAnswer answer) => (answer.Status, Text(answer.Body, "policyName")) switch
    {
        (429, "DAILY") => new CrmLimit(answer.RetryAfter ?? TimeSpan.FromHours(1), "HTTP 429: the day's calls are used up"),
        (429, "TEN_SECONDLY_ROLLING") => new CrmLimit(answer.RetryAfter ?? TimeSpan.FromSeconds(10), "HTTP 429: too many calls within ten seconds"),
        (429, _) => new CrmLimit(answer.RetryAfter ?? TimeSpan.FromSeconds(1), "HTTP 429: too many calls at once"),
        // A lock of HubSpot's own, to be left alone for two seconds.
        (423, _) => new CrmLimit(answer.RetryAfter ?? TimeSpan.FromSeconds(2), "HTTP 423: locked"),
        _ => null,
    };

    private static CrmOutcome Refusal(JsonNode? error) => new(
        Text(error, "category") switch
        {
            "CONFLICT" => CrmOutcomeKind.Duplicate,
            "OBJECT_NOT_FOUND" => CrmOutcomeKind.Gone,
            "RATE_LIMITS" => CrmOutcomeKind.Later,
            _ => CrmOutcomeKind.Refused,
        },
        null,
        Reason(error));

    private static string Reason(JsonNode? error) => Text(error, "message") ?? Text(error, "category") ?? "no reason was told";

    /// <summary>HubSpot's word for the kind of an error; its message may hold personal data.</summary>
    private static string Category(JsonNode? body) =>
        Text(body, "category") is { Length: > 0 and < 60 } category && category.All(c => char.IsAsciiLetter(c) || c is '_') ? ", " + category : "";

    private CrmRecord Record(CrmObject kind, JsonNode? node)
    {
        var properties = Properties(node?["properties"] as JsonObject ?? []);
        return new CrmRecord(Text(node, "id") ?? "", Instant(Text(node, "updatedAt")))
        {
            Key = properties.GetValueOrDefault(_mapping.Of(kind).Key),
            Properties = properties,
            MergedIds = properties.GetValueOrDefault(MergedIds)?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [],
        };
    }

    private JsonArray Names(CrmObject kind) => new([.. _mapping.Of(kind).Properties.Append(MergedIds).Distinct().Select(p => JsonValue.Create(p))]);

    private static string Path(CrmObject kind) => kind is CrmObject.Lead ? "contacts" : "deals";

    private static string After(string? after) => after is null ? "" : "&after=" + Uri.EscapeDataString(after);

    private static string? Next(JsonNode? answer) => Text(answer?["paging"]?["next"], "after");

    private static string Milliseconds(DateTimeOffset at) => at.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
}
