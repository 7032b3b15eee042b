using System.Globalization;
using System.Text.Json.Nodes;

namespace SalesTasks.Crm;

/// <summary>Queries in SOQL, whose values are quoted here and whose names the mapping and the program give.</summary>
internal static class SalesforceQueries
{
    /// <summary>A page of Salesforce's; also what a query of ours asks for at most.</summary>
    public const int Page = 2000;

    /// <summary>An address may be longer; Salesforce recommends 2,000 characters. https://help.salesforce.com/s/articleView?id=000386264</summary>
    private const int MaxAddress = 2000;

    /// <summary>Of a query within a composite request, as it is sent.</summary>
    private const int MaxPart = 15_000;

    /// <summary>Queries that a composite request takes. They count as one call.</summary>
    private const int MaxParts = 5;

    /// <summary>A text as SOQL writes it. https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm</summary>
    public static string Quote(string text) =>
        $"'{text.Replace("\\", @"\\", StringComparison.Ordinal).Replace("'", @"\'", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal).Replace("\r", @"\r", StringComparison.Ordinal)}'";

    /// <summary>An instant as SOQL writes it; Salesforce counts in whole seconds.</summary>
    public static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>One page; whether there is more the caller sees by <c>done</c>.</summary>
    public static async Task<JsonNode> QueryAsync(this SalesforceSession session, string soql, bool deletedToo, CancellationToken cancellationToken)
    {
        var answer = await session.SendAsync(HttpMethod.Get, Path(soql, deletedToo), null, cancellationToken);
        return answer is { Succeeded: true, Body: { } body } ? body : throw Refused(answer.Status, answer.Body);
    }

    /// <summary>All rows of a query, page by page.</summary>
    public static async Task<List<JsonObject>> AllAsync(this SalesforceSession session, string soql, bool deletedToo, CancellationToken cancellationToken) =>
        await session.ToTheEndAsync(await session.QueryAsync(soql, deletedToo, cancellationToken), cancellationToken);

    /// <summary>All rows of <c>SELECT … WHERE field IN (values)</c>: as few calls as the length of a query allows.</summary>
    /// <param name="session">Signed in.</param>
    /// <param name="select">Up to and without WHERE.</param>
    /// <param name="field">Compared with the values.</param>
    /// <param name="values">Any number.</param>
    /// <param name="rest">After the list, such as an order.</param>
    /// <param name="deletedToo">Those in the recycle bin as well.</param>
    /// <param name="cancellationToken">Asked to stop.</param>
    public static async Task<List<JsonObject>> FindAsync(
        this SalesforceSession session, string select, string field, IReadOnlyCollection<string> values, string rest, bool deletedToo, CancellationToken cancellationToken)
    {
        var rows = new List<JsonObject>();
        var queries = Queries($"{select} WHERE {field} IN (", values, $"){rest}").ToList();
        foreach (var parts in queries.Chunk(MaxParts))
        {
            if (parts is [var single] && Path(single, deletedToo).Length <= MaxAddress)
            {
                rows.AddRange(await session.AllAsync(single, deletedToo, cancellationToken));
                continue;
            }

            var request = new JsonObject
            {
                ["compositeRequest"] = new JsonArray(
                [
                    .. parts.Select((soql, i) => new JsonObject
                    {
                        ["method"] = "GET",
                        ["url"] = session.Root + Path(soql, deletedToo),
                        ["referenceId"] = $"q{i}",
                    }),
                ]),
            };
            var answer = await session.SendAsync(HttpMethod.Post, "composite", request, cancellationToken);
            if (answer.Body?["compositeResponse"] is not JsonArray told || told.Count != parts.Length)
            {
                throw Refused(answer.Status, answer.Body);
            }

            foreach (var part in told)
            {
                rows.AddRange(part?["httpStatusCode"]?.GetValue<int>() is 200 && part["body"] is { } body
                    ? await session.ToTheEndAsync(body, cancellationToken)
                    : throw Refused(part?["httpStatusCode"]?.GetValue<int>() ?? 0, part?["body"]));
            }
        }

        return rows;
    }

    public static IEnumerable<JsonObject> Rows(JsonNode page) => (page["records"] as JsonArray ?? []).OfType<JsonObject>();

    /// <summary>A call about the connection or the mapping that is no success.</summary>
    public static JobException Refused(int status, JsonNode? body) => JobException.Refused(
        $"Salesforce: HTTP {status}{SalesforceSession.Code(body)}; check the mapping, and the permissions of the user the connection runs as (docs/crm.md).");

    /// <summary>The rows of a page and of those that follow it.</summary>
    private static async Task<List<JsonObject>> ToTheEndAsync(this SalesforceSession session, JsonNode page, CancellationToken cancellationToken)
    {
        var rows = Rows(page).ToList();
        while (page["nextRecordsUrl"]?.ToString() is { Length: > 0 } next)
        {
            var answer = await session.SendAsync(HttpMethod.Get, next, null, cancellationToken);
            page = answer is { Succeeded: true, Body: { } body } ? body : throw Refused(answer.Status, answer.Body);
            rows.AddRange(Rows(page));
        }

        return rows;
    }

    private static IEnumerable<string> Queries(string before, IReadOnlyCollection<string> values, string after)
    {
        var quoted = new List<string>();
        var length = 0;
        foreach (var value in values.Select(Quote))
        {
            var own = Uri.EscapeDataString(value).Length + 3;
            if (quoted.Count > 0 && length + own > MaxPart)
            {
                yield return before + string.Join(',', quoted) + after;
                quoted.Clear();
                length = 0;
            }

            quoted.Add(value);
            length += own;
        }

        if (quoted.Count > 0)
        {
            yield return before + string.Join(',', quoted) + after;
        }
    }

    private static string Path(string soql, bool deletedToo) => $"{(deletedToo ? "queryAll" : "query")}?q={Uri.EscapeDataString(soql)}";
}
