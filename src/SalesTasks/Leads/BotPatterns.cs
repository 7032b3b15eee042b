using SalesTasks.Database;

namespace SalesTasks.Leads;

/// <summary>Tells programs from people by their user agent, by the patterns of the table <c>bot_patterns</c>.</summary>
internal sealed class BotPatterns
{
    /// <summary>Campaigns have hundreds of different agents; the limit is for files that make them up.</summary>
    private const int MostRemembered = 10_000;

    private readonly IReadOnlyList<(string Pattern, string Reason, string? EventType)> _patterns;
    private readonly Dictionary<(string Agent, string EventType), string?> _remembered = [];

    /// <param name="patterns">LIKE patterns in lower case, the most telling first.</param>
    public BotPatterns(IEnumerable<(string Pattern, string Reason, string? EventType)> patterns) =>
        _patterns = [.. patterns];

    public static async Task<BotPatterns> LoadAsync(SalesDatabase database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return new BotPatterns(await connection.QueryStatementAsync(
            "leads/bot_patterns", [], row => (row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2)), cancellationToken));
    }

    /// <summary>Why an event is a bot's; null where its agent is not known for one.</summary>
    public string? Reason(string userAgent, string eventType)
    {
        var key = (userAgent, eventType);
        if (!_remembered.TryGetValue(key, out var reason))
        {
            var agent = userAgent.Trim().ToLowerInvariant();
            reason = _patterns
                .FirstOrDefault(p => (p.EventType is null || string.Equals(p.EventType, eventType, StringComparison.Ordinal)) && IsLike(agent, p.Pattern))
                .Reason;
            if (_remembered.Count < MostRemembered)
            {
                _remembered.Add(key, reason);
            }
        }

        return reason;
    }

    /// <summary>
    /// <c>%</c> any text, <c>_</c> one character, a backslash takes the next one as it is: as LIKE reads them. Goes back to the last <c>%</c>
    /// only, so a text written by a stranger cannot make it slow; regular expressions that promise the same cost megabytes each.
    /// </summary>
    private static bool IsLike(ReadOnlySpan<char> text, ReadOnlySpan<char> like)
    {
        int at = 0, pattern = 0, resumeText = -1, resumeLike = -1;
        while (at < text.Length)
        {
            if (pattern < like.Length && like[pattern] == '%')
            {
                resumeLike = ++pattern;
                resumeText = at;
            }
            else if (pattern < like.Length && Matches(text[at], like, pattern, out var length))
            {
                at++;
                pattern += length;
            }
            else if (resumeLike >= 0)
            {
                pattern = resumeLike;
                at = ++resumeText;
            }
            else
            {
                return false;
            }
        }

        return like[pattern..].TrimStart('%').IsEmpty;
    }

    private static bool Matches(char character, ReadOnlySpan<char> like, int at, out int length)
    {
        var escaped = like[at] == '\\' && at + 1 < like.Length;
        length = escaped ? 2 : 1;
        return escaped ? like[at + 1] == character : like[at] == '_' || like[at] == character;
    }
}
