using System.CommandLine;
using System.Globalization;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Maintenance;

/// <summary><c>privacy retention show|set|run</c>.</summary>
internal static class RetentionCommands
{
    private const string Keep = "keep";
    private const int MostDays = 36_500;

    public static PeopleCommand Show() => new(
        "show", "How long what is kept; without a rule it is kept for ever", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var rules = (await connection.QueryStatementAsync(
                "retention/rules", [],
                row => (Subject: row.GetString(0), Days: row.GetInt32(1), At: row.GetFieldValue<DateTimeOffset>(2), By: row.GetString(3)), stop)).ToDictionary(r => r.Subject, StringComparer.Ordinal);
            if (context.Json)
            {
                context.WriteJson(RetentionSubject.All.Select(object? (subject) => new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["subject"] = subject.Name,
                    ["keep_days"] = rules.TryGetValue(subject.Name, out var rule) ? rule.Days : null,
                    ["updated_at"] = rules.TryGetValue(subject.Name, out var at) ? at.At : null,
                    ["updated_by"] = rules.TryGetValue(subject.Name, out var by) ? by.By : null,
                }).ToList());
                return ExitCode.Done;
            }

            var table = new Table().AddColumns(
                context.Text("Subject", "Materia"), context.Text("What", "Qué"), context.Text("Kept (days)", "Se guarda (días)"), context.Text("Set by", "Fijado por"));
            foreach (var subject in RetentionSubject.All)
            {
                var set = rules.TryGetValue(subject.Name, out var rule);
                table.AddRow(
                    subject.Name, context.Text(subject.English, subject.Spanish), set ? rule.Days.ToString("N0", context.Numbers) : context.Text("for ever", "siempre"),
                    set ? Visible.Markup(string.Create(CultureInfo.InvariantCulture, $"{rule.By}, {rule.At.UtcDateTime:yyyy-MM-dd}")) : "");
            }

            context.Console.Write(table);
            return ExitCode.Done;
        });

    public static PeopleCommand Set()
    {
        var subject = new Argument<string>("subject") { Description = "As 'privacy retention show' names it" };
        var days = new Argument<string>("days") { Description = $"Whole days, 1 to {MostDays}, or {Keep}: for ever" };
        var command = new PeopleCommand("set", "Keep something for a number of days only; db maintain removes what is older", async (context, stop) =>
        {
            var name = context.Parse.GetValue(subject)!;
            if (RetentionSubject.All.FirstOrDefault(s => s.Name == name) is not { } chosen)
            {
                throw JobException.Usage($"privacy retention set: subject '{Visible.Text(name)}' is not known; allowed: {string.Join(", ", RetentionSubject.All.Select(s => s.Name))}");
            }

            var text = context.Parse.GetValue(days)!;
            var keep = text == Keep ? 0 : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= MostDays
                ? number
                : throw JobException.Usage($"privacy retention set: days '{Visible.Text(text)}' is not allowed; allowed: a whole number from 1 to {MostDays}, or {Keep}");
            await using var database = await context.OpenAsync(stop);
            await (keep == 0
                ? database.ExecuteAsync("retention/unset", [("subject", chosen.Name)], stop)
                : database.ExecuteAsync("retention/set", [("subject", chosen.Name), ("keep_days", keep), ("actor", Environment.UserName)], stop));
            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal) { ["subject"] = chosen.Name, ["keep_days"] = keep == 0 ? null : keep });
            }
            else
            {
                context.Host.Out.WriteLine(keep == 0
                    ? context.Text($"{chosen.Name} is kept for ever.", $"{chosen.Name} se guarda siempre.")
                    : context.Text($"{chosen.Name} is kept for {keep} days; the next db maintain removes what is older.", $"{chosen.Name} se guarda {keep} días; el próximo db maintain elimina lo anterior."));
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(subject);
        command.Arguments.Add(days);
        return command;
    }

    public static PeopleCommand Run()
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Only count what would go" };
        var command = new PeopleCommand("run", "Remove now what is older than its rule says", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            var only = context.Parse.GetValue(dryRun);
            var locks = new BriefLocks(database, TimeSpan.FromSeconds(MaintenanceJobs.LockTimeoutSeconds.Default), context.Host.Time);
            var outcomes = await new Retention(database, locks, context.Host.Time.GetUtcNow(), only, static _ => { }).RunAsync(stop);
            if (context.Json)
            {
                context.WriteJson(outcomes.Select(object? (outcome) => new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["subject"] = outcome.Subject.Name,
                    ["keep_days"] = outcome.KeepDays,
                    [only || outcome.Subject == RetentionSubject.InactiveLeads ? "older" : "removed"] = outcome.Count,
                    ["left"] = outcome.Left,
                }).ToList());
                return ExitCode.Done;
            }

            if (outcomes.Count == 0)
            {
                context.Host.Out.WriteLine(context.Text("Nothing has a rule: everything is kept.", "Nada tiene regla: se guarda todo."));
                return ExitCode.Done;
            }

            var table = new Table().AddColumns(
                context.Text("Subject", "Materia"), context.Text("Kept (days)", "Se guarda (días)"), only ? context.Text("Older", "Anteriores") : context.Text("Removed", "Eliminados"),
                context.Text("Left for the next run", "Queda para la próxima"));
            foreach (var outcome in outcomes)
            {
                var counted = outcome.Subject == RetentionSubject.InactiveLeads && !only;
                table.AddRow(
                    outcome.Subject.Name, outcome.KeepDays.ToString("N0", context.Numbers),
                    counted ? context.Text($"0, older: {outcome.Count}", $"0, anteriores: {outcome.Count}") : outcome.Count.ToString("N0", context.Numbers), Visible.Markup(outcome.Left));
            }

            context.Console.Write(table);
            return ExitCode.Done;
        });
        command.Options.Add(dryRun);
        return command;
    }
}
