using System.Text;
using System.Text.RegularExpressions;
using SalesTasks.Database;

namespace SalesTasks.Leads;

/// <summary>Tells programs from people by their user agent, by the patterns of the table <c>bot_patterns</c>.</summary>
internal sealed class BotPatterns
{
    /// <summary>Campaigns have hundreds of different agents; the limit is for files that make them up.</summary>
    private const int MostRemembered = 10_000;

    private readonly IReadOnlyList<(Regex Pattern, string Reason, string? EventType)> _patterns;
    private readonly Dictionary<(string Agent, string EventType), string?> _remembered = [];

    /// <param name="patterns">LIKE patterns in lower case, the most telling first.</param>
    public BotPatterns(IEnumerable<(string Pattern, string Reason, string? EventType)> patterns) =>
        _patterns = [.. patterns.Select(pattern => (LikeToRegex(pattern.Pattern), pattern.Reason, pattern.EventType))];

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
                .FirstOrDefault(p => (p.EventType is null || string.Equals(p.EventType, eventType, StringComparison.Ordinal)) && p.Pattern.IsMatch(agent))
                .Reason;
            if (_remembered.Count < MostRemembered)
            {
                _remembered.Add(key, reason);
            }
        }

        return reason;
    }

    /// <summary><c>%</c> any text, <c>_</c> one character, a backslash takes the next one as it is: as LIKE reads them.</summary>
    private static Regex LikeToRegex(string like)
    {
        var regex = new StringBuilder("^");
        for (var at = 0; at < like.Length; at++)
        {
            regex.Append(like[at] switch
            {
                '%' => ".*",
                '_' => ".",
                '\\' when at + 1 < like.Length => Regex.Escape(like[++at].ToString()),
                var character => Regex.Escape(character.ToString()),
            });
        }

        // Without backtracking: agents are written by strangers.
        return new Regex(regex.Append('$').ToString(), RegexOptions.NonBacktracking | RegexOptions.Singleline | RegexOptions.CultureInvariant);
    }
}
