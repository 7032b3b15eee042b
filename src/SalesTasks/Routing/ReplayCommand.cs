using System.CommandLine;
using System.Globalization;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Routing;

/// <summary><c>routing replay</c>: plans a past run again from what it noted, with other settings, and shows what would have been different.</summary>
internal static class ReplayCommand
{
    private const int ShownLeads = 20;

    public static PeopleCommand Create()
    {
        var run = new Argument<string>("run") { Description = "The run's number, as in routing_runs or explain; 'last' for the latest" };
        var set = new Option<string[]>("--set")
        {
            Description = "NAME=VALUE, a parameter of routing assign, such as max_active_leads_per_rep=40; may be repeated",
        };
        var command = new PeopleCommand("replay", "Plan a past run again with other settings; writes nothing", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var past = await PastRun.LoadAsync(connection, Number(context.Parse.GetRequiredValue(run)), stop);
            var settings = Settings(past.Settings, context.Parse.GetValue(set) ?? []);
            var plan = RoutingPlanner.Plan(past.Situation, settings, stop);
            Show(context, past, plan);
            return ExitCode.Done;
        });
        command.Arguments.Add(run);
        command.Options.Add(set);
        return command;
    }

    private static long? Number(string run) => run switch
    {
        "last" => null,
        _ when long.TryParse(run, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        _ => throw JobException.Usage($"routing replay: run {Quoted.Text(run)} is not allowed; allowed: a run's number, or last"),
    };

    /// <summary>The run's settings with the changes applied.</summary>
    /// <exception cref="JobException">64 with every fault.</exception>
    private static RoutingSettings Settings(string json, string[] changes)
    {
        var faults = new List<string>();
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var change in changes)
        {
            var parts = change.Split('=', 2);
            if (parts.Length == 2 && RoutingSettings.Parameters.Find(parts[0]) is not null)
            {
                texts[parts[0]] = parts[1];
            }
            else
            {
                faults.Add($"--set {Quoted.Text(change)} is not allowed; allowed: NAME=VALUE with one of "
                    + string.Join(", ", RoutingSettings.Parameters.All.Select(p => p.Name)));
            }
        }

        var values = RoutingSettings.Parameters.Bind(json, texts, RoutingSettings.Parameters, faults);
        return faults.Count == 0 ? RoutingSettings.From(values) : throw JobException.Usage(string.Join(Environment.NewLine, faults));
    }

    private static void Show(PeopleContext context, PastRun past, RoutingPlan plan)
    {
        var reps = past.Situation.Reps;
        var differences = Enumerable.Range(0, past.Chosen.Count)
            .Where(i => past.Chosen[i] != plan.Decisions[i].Chosen)
            .OrderByDescending(i => past.Situation.Leads[i].ExpectedValue)
            .ThenBy(i => i)
            .ToList();
        var before = past.Chosen.Count(c => c is not null);
        var after = plan.Decisions.Count(d => d.Chosen is not null);
        if (context.Json)
        {
            context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["run"] = past.Id,
                ["as_of"] = past.AsOf,
                ["finished"] = past.Finished,
                ["run_plan"] = new Dictionary<string, object?>(StringComparer.Ordinal) { ["given"] = before, ["expected_gain"] = past.ExpectedGain },
                ["replay"] = new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["given"] = after,
                    ["expected_gain"] = plan.ExpectedGain,
                    ["optimality_gap"] = plan.OptimalityGap,
                    ["counts"] = Tally.Of(plan.Decisions).Counts.ToDictionary(c => c.Key, object? (c) => c.Value, StringComparer.Ordinal),
                    ["reasons"] = Tally.Of(plan.Decisions).Reasons.ToDictionary(c => c.Key, object? (c) => c.Value, StringComparer.Ordinal),
                },
                ["differences"] = differences.ConvertAll(object? (i) => new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["lead_ext_id"] = past.ExtIds[i],
                    ["run_plan"] = Name(past.Chosen[i]),
                    ["replay"] = Name(plan.Decisions[i].Chosen),
                    ["outcome"] = Words.Of(plan.Decisions[i].Outcome),
                    ["reason"] = Words.Of(plan.Decisions[i].Reason),
                }),
            });
            return;
        }

        var output = context.Host.Out;
        output.WriteLine(context.Text(
            $"Run {past.Id} of {past.AsOf:yyyy-MM-dd HH:mm} UTC, {past.Chosen.Count} leads, {reps.Count} reps; nothing is written.",
            $"Ejecución {past.Id} del {past.AsOf:yyyy-MM-dd HH:mm} UTC, {past.Chosen.Count} leads, {reps.Count} representantes; no se escribe nada."));
        if (!past.Finished)
        {
            output.WriteLine(context.Text(
                "The run did not finish: only the leads it came to are replayed.", "La ejecución no terminó: solo se repiten los leads a los que llegó."));
        }

        var summary = new Table().AddColumns("", context.Text("Run", "Ejecución"), context.Text("Replay", "Repetición"));
        summary.AddRow(context.Text("leads given to reps", "leads dados a representantes"), $"{before}", $"{after}");
        summary.AddRow(context.Text("expected gain", "ganancia esperada"), $"{past.ExpectedGain:N2}", $"{plan.ExpectedGain:N2}");
        summary.AddRow(context.Text("leads with another result", "leads con otro resultado"), "", $"{differences.Count}");
        foreach (var (reason, count) in Tally.Of(plan.Decisions).Reasons)
        {
            var parts = reason.Split('_', 2);
            summary.AddRow(Markup.Escape($"{ExplainRouting.Outcome(context, parts[0])}: {ExplainRouting.Reason(context, parts[1])}"), "", $"{count}");
        }

        context.Console.Write(summary);
        var table = new Table().Title(context.Text("Differences, the most valuable first", "Diferencias, primero las de más valor")).AddColumns(
            "Lead", context.Text("Run", "Ejecución"), context.Text("Replay", "Repetición"), context.Text("Because", "Porque"));
        foreach (var i in differences.Take(ShownLeads))
        {
            table.AddRow(
                Markup.Escape(past.ExtIds[i]), Markup.Escape(Name(past.Chosen[i]) ?? "-"), Markup.Escape(Name(plan.Decisions[i].Chosen) ?? "-"),
                Markup.Escape(ExplainRouting.Reason(context, Words.Of(plan.Decisions[i].Reason))));
        }

        if (table.Rows.Count > 0)
        {
            context.Console.Write(table);
        }

        string? Name(int? rep) => rep is { } number ? reps[number].Email : null;
    }
}

/// <summary>A run as it was noted.</summary>
/// <param name="Id">Its number.</param>
/// <param name="AsOf">The instant it worked at.</param>
/// <param name="Settings">As JSON.</param>
/// <param name="Finished">False: it was stopped or killed under way.</param>
/// <param name="ExpectedGain">Of its plan.</param>
/// <param name="Situation">What it planned from.</param>
/// <param name="ExtIds">Of the situation's leads.</param>
/// <param name="Chosen">Whom its plan gave each lead to.</param>
internal sealed record PastRun(
    long Id, DateTimeOffset AsOf, string Settings, bool Finished, double ExpectedGain, RoutingSituation Situation, IReadOnlyList<string> ExtIds,
    IReadOnlyList<int?> Chosen)
{
    /// <param name="connection">Open.</param>
    /// <param name="run">Null: the latest.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="JobException">64: there is no such run, or its decisions have been thinned out.</exception>
    public static async Task<PastRun> LoadAsync(NpgsqlConnection connection, long? run, CancellationToken cancellationToken)
    {
        var runs = await connection.QueryStatementAsync(
            "routing/replay_run",
            [("run", run)],
            row => (
                Id: row.GetInt64(0), AsOf: row.GetFieldValue<DateTimeOffset>(1), Settings: row.GetString(2), Seed: row.GetInt64(3),
                Products: row.GetFieldValue<string[]>(4), Regions: row.GetFieldValue<string[]>(5), Team: row.GetDouble(6), Finished: row.GetBoolean(7),
                Thinned: row.GetBoolean(8), Gain: row.GetDouble(9)),
            cancellationToken);
        if (runs is not [var found])
        {
            throw JobException.Usage(run is null ? "routing replay: there is no run yet" : $"routing replay: there is no run {run}");
        }

        if (found.Thinned)
        {
            throw JobException.Usage($"routing replay: run {found.Id} is older than its decision_detail_days, so that only its changes are kept");
        }

        (string, object?)[] id = [("run_id", found.Id)];
        var reps = await connection.QueryStatementAsync("routing/replay_reps", id, ReadRep, cancellationToken);
        var classes = await connection.QueryStatementAsync(
            "routing/replay_classes", id, row => new LeadClass(row.GetString(0), row.GetString(1), row.GetString(2)), cancellationToken);
        var leads = await connection.QueryStatementAsync("routing/replay_leads", id, row => ReadLead(row, reps), cancellationToken);
        return new PastRun(
            found.Id, found.AsOf, found.Settings, found.Finished, found.Gain,
            new RoutingSituation
            {
                Reps = reps,
                Classes = classes,
                Products = found.Products,
                Regions = found.Regions,
                Leads = leads.ConvertAll(l => l.Lead),
                Seed = found.Seed,
                TeamWinRate = found.Team,
            },
            leads.ConvertAll(l => l.ExtId),
            leads.ConvertAll(l => l.Chosen));
    }

    private static RoutingRep ReadRep(NpgsqlDataReader row) => new()
    {
        Email = row.GetString(0),
        Active = row.GetBoolean(1),
        Absent = row.GetBoolean(2),
        Capacity = row.IsDBNull(3) ? null : row.GetInt32(3),
        Minimum = row.IsDBNull(4) ? null : row.GetInt32(4),
        Weight = row.GetDouble(5),
        Load = row.GetInt32(6),
        OverdueTasks = row.GetInt32(7),
        Specialisations = row.GetFieldValue<string[]>(8),
        Languages = row.GetFieldValue<string[]>(9),
        Regions = row.GetFieldValue<string[]>(10),
        Skill = new RepSkill(
            row.GetInt32(11), row.GetInt32(12), row.GetDouble(13), row.GetFieldValue<double[]>(14), row.GetFieldValue<double[]>(15)),
    };

    private static (RoutingLead Lead, string ExtId, int? Chosen) ReadLead(NpgsqlDataReader row, List<RoutingRep> reps)
    {
        var owner = row.IsDBNull(2) ? RoutingLead.NoOwner : row.GetInt32(2);
        var lead = new RoutingLead
        {
            LeadId = row.GetInt64(0),
            Kind = owner switch
            {
                RoutingLead.NoOwner => LeadKind.Unassigned,
                >= 0 when !reps[owner].Active => LeadKind.Orphaned,
                _ => LeadKind.Stale,
            },
            Owner = owner,
            Class = row.GetInt32(3),
            Product = row.GetInt32(4),
            Value = row.GetDouble(5),
            ValueKnown = row.GetBoolean(6),
            Probability = row.GetDouble(7),
            SilentDays = row.IsDBNull(8) ? null : row.GetDouble(8),
            OwnedDays = row.IsDBNull(9) ? null : row.GetDouble(9),
            Hops = row.GetInt32(10),
        };
        return (lead, row.GetString(1), row.IsDBNull(11) ? null : row.GetInt32(11));
    }
}
