using System.CommandLine;
using System.Text.RegularExpressions;
using SalesTasks.Cli;
using Spectre.Console;

namespace SalesTasks.Leads;

/// <summary><c>leads mappings list|show|save|delete</c>.</summary>
internal static partial class MappingCommands
{
    public static PeopleCommand List() => new("list", "List the saved column mappings", async (context, stop) =>
    {
        await using var database = await context.OpenAsync(stop);
        await using var connection = await database.OpenAsync(stop);
        var mappings = await MappingStore.ListAsync(connection, name: null, stop);
        if (context.Json)
        {
            context.WriteJson(mappings.Select(object? (m) => Describe(m)).ToList());
            return ExitCode.Done;
        }

        var table = new Table().AddColumns(
            context.Text("Name", "Nombre"), context.Text("For", "Para"), context.Text("Created (UTC)", "Creado (UTC)"),
            context.Text("Changed (UTC)", "Cambiado (UTC)"));
        foreach (var m in mappings)
        {
            table.AddRow(Markup.Escape(m.Name), m.Kind, $"{m.CreatedAt:yyyy-MM-dd HH:mm}", $"{m.UpdatedAt:yyyy-MM-dd HH:mm}");
        }

        context.Console.Write(table);
        return ExitCode.Done;
    });

    public static PeopleCommand Show()
    {
        var name = Name();
        var command = new PeopleCommand("show", "Print a saved column mapping", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var mapping = await MappingStore.LoadAsync(connection, context.Parse.GetRequiredValue(name), stop);
            if (context.Json)
            {
                var members = Describe(mapping);
                members["document"] = mapping.Document;
                context.WriteJson(members);
            }
            else
            {
                context.Host.Out.Write(mapping.Document);
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(name);
        return command;
    }

    public static PeopleCommand Save()
    {
        var name = Name();
        var file = new Option<string>("--file") { Description = "The mapping, YAML or JSON", Required = true };
        var command = new PeopleCommand("save", "Check a column mapping and save it under a name", async (context, stop) =>
        {
            var saved = context.Parse.GetRequiredValue(name);
            if (!AllowedName().IsMatch(saved))
            {
                throw JobException.Usage(
                    $"leads mappings save: '{saved}' is no name for a mapping; allowed: up to 64 lower-case letters, digits, - and _");
            }

            var path = context.Parse.GetRequiredValue(file);
            var text = MappingStore.ReadFile(path);
            var mapping = MappingDocument.Parse(text, $"'{path}'");
            await using var database = await context.OpenAsync(stop);
            var changed = await database.ExecuteAsync(
                "leads/save_mapping",
                [("name", saved), ("kind", mapping.Kind), ("document", text), ("as_of", context.Host.Time.GetUtcNow())],
                stop);
            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["name"] = saved,
                    ["kind"] = mapping.Kind,
                    ["changed"] = changed > 0,
                });
            }
            else
            {
                context.Host.Out.WriteLine(changed > 0
                    ? context.Text($"Saved; use it with --mapping {saved}.", $"Guardado; úsalo con --mapping {saved}.")
                    : context.Text("Already saved like this.", "Ya estaba guardado así."));
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(name);
        command.Options.Add(file);
        return command;
    }

    public static PeopleCommand Delete()
    {
        var name = Name();
        var command = new PeopleCommand("delete", "Forget a saved column mapping", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            var asked = context.Parse.GetRequiredValue(name);
            if (await database.ExecuteAsync("leads/delete_mapping", [("name", asked)], stop) == 0)
            {
                throw JobException.Usage($"leads mappings delete: there is no saved mapping '{asked}'; see leads mappings list");
            }

            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal) { ["name"] = asked, ["deleted"] = true });
            }
            else
            {
                context.Host.Out.WriteLine(context.Text("Deleted.", "Borrado."));
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(name);
        return command;
    }

    private static Argument<string> Name() => new("name") { Description = "Name of the mapping" };

    private static Dictionary<string, object?> Describe(SavedMapping mapping) => new(StringComparer.Ordinal)
    {
        ["name"] = mapping.Name,
        ["kind"] = mapping.Kind,
        ["created_at"] = mapping.CreatedAt,
        ["updated_at"] = mapping.UpdatedAt,
    };

    [GeneratedRegex("^[a-z0-9][a-z0-9_-]{0,63}$")]
    private static partial Regex AllowedName();
}
