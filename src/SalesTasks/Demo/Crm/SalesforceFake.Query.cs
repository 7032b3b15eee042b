using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace SalesTasks.Demo.Crm;

/// <content>What is read: queries and their pages, records by id, what was changed and deleted, and requests packed into one.</content>
internal sealed partial class SalesforceFake
{
    private const int MaxQuery = 100_000;
    private const int MaxParts = 25;
    private const int MaxQueryParts = 5;

    private readonly Dictionary<string, Queue<JsonNode>> _locators = new(StringComparer.Ordinal);

    /// <summary>Records of a page; Salesforce gives fewer than 2,000 where they are large.</summary>
    public int PageSize { get; set; } = 2000;

    private FakeAnswer Query(string text, bool deletedToo, string version)
    {
        Soql query;
        try
        {
            query = Soql.Parse(text.Length <= MaxQuery ? text : throw new SoqlException("SOQL statements cannot be longer than 100000 characters."));
        }
        catch (SoqlException fault)
        {
            return Error(400, "MALFORMED_QUERY", fault.Message);
        }

        if (!Known(query.From))
        {
            return Error(400, "INVALID_TYPE", $"sObject type '{query.From}' is not supported.");
        }

        var fields = _fields[query.From];
        if (query.Fields.Concat(query.Asked.Select(a => a.Field)).Concat(query.OrderBy.Select(o => o.Field)).FirstOrDefault(n => !fields.Exists(f => Named(f, n))) is { } unknown)
        {
            return Error(400, "INVALID_FIELD", $"No such column '{unknown}' on entity '{query.From}'.");
        }

        if (query.Asked.Find(a => !Fits(fields.Find(f => Named(f, a.Field))!, a.Literal)) is { Field: { } wrong })
        {
            return Error(400, "INVALID_FIELD", $"value of filter criterion for field '{wrong}' is of another type; texts stand between apostrophes, other values do not");
        }

        var records = _records[query.From].Values
            .Where(r => !r.Purged && (deletedToo || !r.Deleted) && query.Where(name => Value(r, fields.Find(f => Named(f, name))!)));
        foreach (var (name, descending) in Enumerable.Reverse(query.OrderBy))
        {
            var field = fields.Find(f => Named(f, name))!;
            var order = Comparer<SalesforceRecord>.Create((a, b) => Soql.Compare(Value(a, field), Value(b, field)));
            records = descending ? records.OrderDescending(order) : records.Order(order);
        }

        var found = query.Limit is { } limit ? records.Take(limit).ToList() : [.. records];
        if (query.Counts)
        {
            return new FakeAnswer(200, new JsonObject { ["totalSize"] = found.Count, ["done"] = true, ["records"] = new JsonArray() });
        }

        var rows = new Queue<JsonNode>(found.Select(r => Show(query.From, r, [.. query.Fields.Select(n => fields.Find(f => Named(f, n))!)], version)));
        return Page(rows, found.Count, "01g" + (_nextId++).ToString("D15", CultureInfo.InvariantCulture), 0, version);
    }

    private static bool Fits(SalesforceField field, string literal) => literal.Equals("null", StringComparison.OrdinalIgnoreCase)
        || literal[0] == '\'' != (field.IsNumber || field.Type is "boolean" or "date" or "datetime");

    /// <summary>The next page. https://developer.salesforce.com/docs/platform/api-rest/guide/resources-query-more-results.html</summary>
    private FakeAnswer More(string locator, string version) =>
        locator.Split('-') is [var id, var from] && _locators.TryGetValue(id, out var rows) && int.TryParse(from, out var start)
            ? Page(rows, start + rows.Count, id, start, version)
            : Error(400, "INVALID_QUERY_LOCATOR", "invalid query locator");

    private FakeAnswer Page(Queue<JsonNode> rows, int total, string locator, int start, string version)
    {
        var page = new JsonArray();
        while (page.Count < PageSize && rows.TryDequeue(out var row))
        {
            page.Add(row);
        }

        var answer = new JsonObject { ["totalSize"] = total, ["done"] = rows.Count == 0 };
        if (rows.Count > 0)
        {
            _locators[locator] = rows;
            answer["nextRecordsUrl"] = $"/services/data/{version}/query/{locator}-{start + page.Count}";
        }

        answer["records"] = page;
        return new FakeAnswer(200, answer);
    }

    private static bool Named(SalesforceField field, string name) => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static string? Value(SalesforceRecord record, SalesforceField field) => record.Values.GetValueOrDefault(field.Name);

    private static JsonObject Show(string type, SalesforceRecord record, IEnumerable<SalesforceField> fields, string version)
    {
        var json = new JsonObject
        {
            ["attributes"] = new JsonObject { ["type"] = type, ["url"] = $"/services/data/{version}/sobjects/{type}/{record.Id}" },
        };
        foreach (var field in fields)
        {
            json[field.Name] = field.ToJson(Value(record, field));
        }

        return json;
    }

    private FakeAnswer Get(string type, string id) => Existing(type, id) is { } record
        ? new FakeAnswer(200, Show(type, record, _fields[type], "v60.0"))
        : NotFound();

    /// <summary>https://developer.salesforce.com/docs/platform/api-rest/guide/resources-getdeleted.html</summary>
    private FakeAnswer GetDeleted(string type, IReadOnlyDictionary<string, string> query)
    {
        if (Window(query) is not { } window)
        {
            return Error(400, "INVALID_REPLICATION_DATE", "startDate before endDate, at most 30 days ago");
        }

        return new FakeAnswer(200, new JsonObject
        {
            ["deletedRecords"] = new JsonArray(
            [
                .. Within(type, window).Where(r => r.Deleted)
                    .Select(r => new JsonObject { ["id"] = r.Id, ["deletedDate"] = r.Values["SystemModstamp"] }),
            ]),
            ["earliestDateAvailable"] = Text(window.From),
            ["latestDateCovered"] = Text(window.To),
        });
    }

    /// <summary>https://developer.salesforce.com/docs/platform/api-rest/guide/resources-getupdated.html</summary>
    private FakeAnswer GetUpdated(string type, IReadOnlyDictionary<string, string> query) => Window(query) is { } window
        ? new FakeAnswer(200, new JsonObject
        {
            ["ids"] = new JsonArray([.. Within(type, window).Where(r => !r.Deleted).Select(r => JsonValue.Create(r.Id))]),
            ["latestDateCovered"] = Text(window.To),
        })
        : Error(400, "INVALID_REPLICATION_DATE", "startDate before endDate, at most 30 days ago");

    private IEnumerable<SalesforceRecord> Within(string type, (DateTimeOffset From, DateTimeOffset To) window) =>
        _records[type].Values.Where(r => !r.Purged && Instant(r.Values["SystemModstamp"]) is var at && at >= window.From && at <= window.To);

    /// <summary>Seconds do not count.</summary>
    private (DateTimeOffset From, DateTimeOffset To)? Window(IReadOnlyDictionary<string, string> query)
    {
        var bounds = ((string[])["start", "end"]).Select(n => DateTimeOffset.TryParse(
            query.GetValueOrDefault(n), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at.AddSeconds(-at.Second).AddMilliseconds(-at.Millisecond)
            : (DateTimeOffset?)null).ToList();
        return bounds is [{ } from, { } to] && from < to && from > Time.GetUtcNow().AddDays(-30) ? (from, to) : null;
    }

    /// <summary>Requests in one, of which at most 5 are queries or collections; they count as one.</summary>
    private FakeAnswer Composite(FakeRequest request, string version)
    {
        var parts = (request.Body?["compositeRequest"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        var paths = parts.ConvertAll(p => (p["url"]?.ToString() ?? "").Split('?', 2));
        if (parts.Count is 0 or > MaxParts || parts.Exists(p => p["referenceId"] is null))
        {
            return Error(400, "JSON_PARSER_ERROR", "compositeRequest: from 1 to 25 parts, each with a referenceId");
        }

        if (paths.Count(p => p[0].Contains("/query", StringComparison.Ordinal) || p[0].Contains("/composite/sobjects", StringComparison.Ordinal)) > MaxQueryParts)
        {
            return Error(400, "LIMIT_EXCEEDED", "at most 5 of the parts may be queries or collections");
        }

        var answers = new JsonArray();
        foreach (var (part, path) in parts.Zip(paths))
        {
            var query = (path.Length > 1 ? path[1] : "").Split('&', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=', 2))
                .ToDictionary(p => p[0], p => WebUtility.UrlDecode(p.Length > 1 ? p[1] : ""), StringComparer.Ordinal);
            var answer = path[0].Trim('/').Split('/') is ["services", "data", var of, .. var rest] && of == version
                ? Serve(new FakeRequest(part["method"]?.ToString() ?? "", path[0], query, part["body"], null), version, [.. rest.Select(Uri.UnescapeDataString)])
                : NotFound();
            answers.Add(new JsonObject
            {
                ["body"] = answer.Body,
                ["httpHeaders"] = new JsonObject(),
                ["httpStatusCode"] = answer.Status,
                ["referenceId"] = part["referenceId"]!.ToString(),
            });
        }

        return new FakeAnswer(200, new JsonObject { ["compositeResponse"] = answers });
    }
}
