using System.Text.Json;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Health;

/// <summary>
/// <c>health</c>: 0 where all is well, 1 where something needs attention, 2 where something is broken, the database itself above all. Each check
/// is a file of <c>sql/health</c> with its thresholds and words.
/// </summary>
internal static class HealthCommand
{
    /// <summary>In the order people read them.</summary>
    internal static readonly string[] Checks =
        ["recent_leads", "scoring", "unassigned", "overdue_tasks", "campaigns", "due_actions", "jobs", "outbox", "model", "backup"];

    /// <summary>A health check that hangs says nothing.</summary>
    private static readonly SalesDatabaseOptions s_options = new()
    {
        ApplicationName = "sales-tasks health",
        StatementTimeout = TimeSpan.FromSeconds(30),
        LockTimeout = TimeSpan.FromSeconds(5),
    };

    public static PeopleCommand Create() => new(
        "health", "Show whether leads, tasks, jobs and messages move: 0 healthy, 1 degraded, 2 critical", async (context, stop) =>
        {
            var spanish = context.Text("en", "es") == "es";
            var found = new List<Finding>();
            try
            {
                await using var database = await context.OpenAsync(stop, s_options);
                found.Add(new Finding("database", null, ExitCode.Done, context.Text("reachable, schema up to date", "accesible, esquema al día"), null));
                await using var connection = await database.OpenAsync(stop);
                foreach (var check in Checks)
                {
                    found.AddRange(await CheckAsync(connection, check, spanish, stop));
                }
            }
            catch (Exception exception) when (!stop.IsCancellationRequested && PostgresErrors.ToJobException(exception) is not null)
            {
                found.Add(new Finding("database", null, ExitCode.Critical, PostgresErrors.ToJobException(exception)!.Message, null));
            }

            var worst = found.Max(finding => finding.Status);
            Show(context, found, worst, spanish);
            return worst;
        });

    private static Task<List<Finding>> CheckAsync(NpgsqlConnection connection, string check, bool spanish, CancellationToken cancellationToken)
    {
        var texts = StatementTexts.Of("health/" + check);
        return connection.QueryStatementAsync(
            "health/" + check,
            [],
            row =>
            {
                using var facts = JsonDocument.Parse(row.GetString(3));
                var status = row.IsDBNull(1) ? ExitCode.Done : row.GetString(1) switch
                {
                    "critical" => ExitCode.Critical,
                    "warning" => ExitCode.Degraded,
                    _ => ExitCode.Done,
                };
                return new Finding(
                    check, row.IsDBNull(0) ? null : row.GetString(0), status, texts.Text(spanish, facts.RootElement, row.GetString(2)),
                    facts.RootElement.EnumerateObject().ToDictionary(fact => fact.Name, fact => Plain(fact.Value), StringComparer.Ordinal));
            },
            cancellationToken);
    }

    private static void Show(PeopleContext context, List<Finding> found, ExitCode worst, bool spanish)
    {
        if (context.Json)
        {
            context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["status"] = Word(worst),
                ["checked_at"] = context.Host.Time.GetUtcNow(),
                ["checks"] = found.ConvertAll(object? (finding) => new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["check"] = finding.Check,
                    ["subject"] = finding.Subject,
                    ["status"] = Word(finding.Status),
                    ["text"] = finding.Text,
                    ["facts"] = finding.Facts ?? new Dictionary<string, object?>(StringComparer.Ordinal),
                }),
            });
            return;
        }

        var table = new Table().AddColumns(context.Text("Check", "Comprobación"), context.Text("State", "Estado"), context.Text("What", "Qué"));
        foreach (var finding in found)
        {
            var title = finding.Check == "database" ? context.Text("Database", "Base de datos") : StatementTexts.Of("health/" + finding.Check).Title(spanish);
            table.AddRow(
                Markup.Escape(finding.Subject is null ? title : $"{title} {finding.Subject}"), Shown(context, finding.Status), Markup.Escape(finding.Text));
        }

        context.Console.Write(table);
        context.Host.Out.WriteLine(Shown(context, worst));
    }

    /// <summary>As <c>--json</c> has it, in every language.</summary>
    private static string Word(ExitCode status) => status switch
    {
        ExitCode.Critical => "critical",
        ExitCode.Degraded => "degraded",
        _ => "healthy",
    };

    private static string Shown(PeopleContext context, ExitCode status) => status switch
    {
        ExitCode.Critical => context.Text("critical", "crítico"),
        ExitCode.Degraded => context.Text("degraded", "degradado"),
        _ => context.Text("healthy", "bien"),
    };

    private static object? Plain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDecimal(),
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    /// <param name="Check">Name of the check.</param>
    /// <param name="Subject">Of what, where a check looks at several things: a DAG, a channel.</param>
    /// <param name="Status">Done (healthy), Degraded or Critical.</param>
    /// <param name="Text">In words.</param>
    /// <param name="Facts">Its values.</param>
    private sealed record Finding(string Check, string? Subject, ExitCode Status, string Text, Dictionary<string, object?>? Facts);
}
