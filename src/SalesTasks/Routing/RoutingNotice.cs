using System.Text;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Routing;

/// <summary>What the team's channel is told of a run, once.</summary>
internal static class RoutingNotice
{
    /// <param name="context">The job; nothing is written where there is no channel.</param>
    /// <param name="connection">In the transaction that ends the run.</param>
    /// <param name="run">Which run.</param>
    /// <param name="tally">What it came to.</param>
    /// <param name="given">Leads by the rep who got them.</param>
    /// <param name="cancellationToken">Stops the statement.</param>
    public static async Task QueueAsync(
        JobContext context, NpgsqlConnection connection, long run, Tally tally, IReadOnlyDictionary<string, long> given, CancellationToken cancellationToken)
    {
        if (context.ConnectionIds.Slack is not null && tally.Changed > 0)
        {
            var title = $"Routing: {tally.Counts["assigned"]} leads assigned, {tally.Counts["reassigned"]} reassigned, {tally.Counts["left"]} left";
            await connection.ExecuteStatementAsync(
                "routing/notify_channel", [("run_id", run), ("title", title), ("text", $"*{title}*\n{List(given)}")], cancellationToken);
        }
    }

    /// <summary>Who got how many, the most first; Slack allows 3,000 characters in a section, with &amp;, &lt; and &gt; escaped.</summary>
    private static string List(IReadOnlyDictionary<string, long> given)
    {
        var text = new StringBuilder();
        foreach (var (rep, leads) in given.OrderByDescending(g => g.Value).ThenBy(g => g.Key, StringComparer.Ordinal))
        {
            var name = rep.Split('@')[0]
                .Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
            var line = $"{name} +{leads}\n";
            if (text.Length + line.Length > 2_500)
            {
                text.Append('…');
                break;
            }

            text.Append(line);
        }

        return text.ToString().TrimEnd();
    }
}
