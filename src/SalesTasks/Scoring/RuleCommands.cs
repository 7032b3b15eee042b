using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Scoring;

/// <summary><c>scoring rules show|edit|validate</c>.</summary>
internal static class RuleCommands
{
    public static PeopleCommand Show()
    {
        var version = new Option<int?>("--version") { Description = "A version's number; left out: the one in force" };
        var versions = new Option<bool>("--versions") { Description = "List all versions" };
        var command = new PeopleCommand("show", "Show the scoring rules in force", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            if (context.Parse.GetValue(versions))
            {
                await ShowVersionsAsync(context, connection, stop);
                return ExitCode.Done;
            }

            ShowRules(context, await ScoringRules.LoadAsync(connection, context.Parse.GetValue(version), stop));
            return ExitCode.Done;
        });
        command.Options.Add(version);
        command.Options.Add(versions);
        return command;
    }

    public static PeopleCommand Validate()
    {
        var changes = new ChangeOptions();
        var command = new PeopleCommand("validate", "Check a change of the rules and show what it would do, without keeping it", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            await using var transaction = await connection.BeginTransactionAsync(stop);
            await ScoringRules.LockAsync(connection, stop);
            var rules = await changes.ReadAsync(context, connection, stop);
            var draft = await ScoringRules.InsertAsync(connection, rules, Environment.UserName, stop);
            await ShowImpactAsync(context, connection, draft, rules, stop);
            await transaction.RollbackAsync(stop);
            return ExitCode.Done;
        });
        changes.AddTo(command);
        return command;
    }

    public static PeopleCommand Edit()
    {
        var changes = new ChangeOptions();
        var activate = new Option<int?>("--activate") { Description = "Put an existing version in force instead of making a new one" };
        var command = new PeopleCommand("edit", "Make a new version of the rules and put it in force", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var existing = context.Parse.GetValue(activate);
            if (existing is not null && changes.Any(context))
            {
                throw JobException.Usage("scoring rules edit: --activate goes alone; allowed: either --activate N, or --set/--file/--comment");
            }

            await using var transaction = await connection.BeginTransactionAsync(stop);
            await ScoringRules.LockAsync(connection, stop);
            var rules = existing is null
                ? await changes.ReadAsync(context, connection, stop)
                : await ScoringRules.LoadAsync(connection, existing, stop);
            var version = existing ?? await ScoringRules.InsertAsync(connection, rules, Environment.UserName, stop);
            await ShowImpactAsync(context, connection, version, rules, stop);
            await ScoringRules.ActivateAsync(connection, version, stop);
            await transaction.CommitAsync(CancellationToken.None);
            if (!context.Json)
            {
                context.Host.Out.WriteLine(context.Text(
                    $"Version {version} is in force; the next scoring score applies it to every lead.",
                    $"La versión {version} está en vigor; el próximo scoring score la aplica a todos los leads."));
            }

            return ExitCode.Done;
        });
        changes.AddTo(command);
        command.Options.Add(activate);
        return command;
    }

    private static void ShowRules(PeopleContext context, RuleDocument rules)
    {
        if (context.Json)
        {
            var document = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["version"] = rules.Version,
                ["active"] = rules.Active,
                ["comment"] = rules.Comment,
            };
            foreach (var field in RuleField.All)
            {
                document[field.Name] = rules[field];
            }

            document["sources"] = rules.Sources.ToDictionary(s => s.Key, object? (s) => s.Value, StringComparer.Ordinal);
            context.WriteJson(document);
            return;
        }

        var state = rules.Active ? context.Text("in force", "en vigor") : context.Text("not in force", "no en vigor");
        context.Host.Out.WriteLine($"{context.Text("Scoring rules, version", "Reglas de puntuación, versión")} {rules.Version} ({state}) {rules.Comment}");
        var table = new Table().AddColumns(context.Text("Rule", "Regla"), context.Text("Value", "Valor"), context.Text("Meaning", "Significado"));
        table.Columns[1].RightAligned();
        foreach (var field in RuleField.All)
        {
            table.AddRow(field.Name, $"{rules[field]:0.##}", Markup.Escape(context.Text(field.English, field.Spanish)));
        }

        foreach (var (word, points) in rules.Sources)
        {
            table.AddRow("source." + word, $"{points:0}", Markup.Escape(context.Text($"Source with the word {word}", $"Fuente con la palabra {word}")));
        }

        context.Console.Write(table);
    }

    private static async Task ShowVersionsAsync(PeopleContext context, Npgsql.NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var versions = await connection.QueryStatementAsync(
            "scoring/rules_versions",
            [],
            row => (Version: row.GetInt32(0), Active: row.GetBoolean(1), Comment: row.GetString(2), By: row.GetString(3),
                At: row.GetFieldValue<DateTimeOffset>(4)),
            cancellationToken);
        if (context.Json)
        {
            context.WriteJson(versions.Select(object? (v) => new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["version"] = v.Version,
                ["active"] = v.Active,
                ["comment"] = v.Comment,
                ["created_by"] = v.By,
                ["created_at"] = v.At,
            }).ToList());
            return;
        }

        var table = new Table().AddColumns(
            context.Text("Version", "Versión"), context.Text("In force", "En vigor"), context.Text("Made (UTC)", "Creada (UTC)"),
            context.Text("By", "Por"), context.Text("Comment", "Comentario"));
        foreach (var v in versions)
        {
            table.AddRow(
                $"{v.Version}", v.Active ? context.Text("yes", "sí") : "", $"{v.At:yyyy-MM-dd HH:mm}", Markup.Escape(v.By), Markup.Escape(v.Comment));
        }

        context.Console.Write(table);
    }

    private static async Task ShowImpactAsync(
        PeopleContext context, Npgsql.NpgsqlConnection connection, int version, RuleDocument rules, CancellationToken cancellationToken)
    {
        string[] names =
        [
            "evaluated", "changed", "up", "down", "high_before", "high_after", "medium_before", "medium_after", "low_before", "low_after",
        ];
        var impact = (await connection.QueryStatementAsync(
            "scoring/rules_impact",
            [("version", version), ("as_of", context.Host.Time.GetUtcNow())],
            row => names.Select((name, i) => KeyValuePair.Create(name, row.GetInt64(i))).ToDictionary(StringComparer.Ordinal),
            cancellationToken))[0];
        if (context.Json)
        {
            context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["version"] = version,
                ["comment"] = rules.Comment,
                ["impact"] = impact.ToDictionary(m => m.Key, object? (m) => m.Value, StringComparer.Ordinal),
            });
            return;
        }

        context.Host.Out.WriteLine(context.Text(
            $"The rules are valid. Of {impact["evaluated"]} leads {impact["changed"]} change: {impact["up"]} up, {impact["down"]} down.",
            $"Las reglas son válidas. De {impact["evaluated"]} leads cambian {impact["changed"]}: {impact["up"]} suben, {impact["down"]} bajan."));
        var table = new Table().AddColumns(
            context.Text("Priority", "Prioridad"), context.Text("Now", "Ahora"), context.Text("With this version", "Con esta versión"));
        foreach (var priority in (string[])["high", "medium", "low"])
        {
            table.AddRow(priority, $"{impact[priority + "_before"]}", $"{impact[priority + "_after"]}");
        }

        context.Console.Write(table);
    }

    /// <summary>How a change is said: <c>--set</c>, <c>--file</c>, <c>--comment</c>.</summary>
    private sealed class ChangeOptions
    {
        private readonly Option<string[]> _set = new("--set") { Description = "NAME=VALUE, such as reply_2_points=30, source.webinar=4 or source.ad=none; may be repeated" };
        private readonly Option<string?> _file = new("--file") { Description = "JSON document with the values to change, as 'show --json' writes it" };
        private readonly Option<string?> _comment = new("--comment") { Description = "Why, for those who read the list of versions" };

        public void AddTo(Command command)
        {
            command.Options.Add(_set);
            command.Options.Add(_file);
            command.Options.Add(_comment);
        }

        public bool Any(PeopleContext context) =>
            context.Parse.GetValue(_set) is { Length: > 0 } || context.Parse.GetValue(_file) is not null || context.Parse.GetValue(_comment) is not null;

        /// <summary>The rules in force with the change applied.</summary>
        /// <exception cref="JobException">64 with every fault of the change.</exception>
        public async Task<RuleDocument> ReadAsync(PeopleContext context, Npgsql.NpgsqlConnection connection, CancellationToken cancellationToken)
        {
            if (context.Parse.GetValue(_set) is not { Length: > 0 } && context.Parse.GetValue(_file) is null)
            {
                throw JobException.Usage("scoring rules: nothing to change; allowed: --set NAME=VALUE (repeatable) or --file rules.json");
            }

            var rules = await ScoringRules.LoadAsync(connection, null, cancellationToken);
            rules.Comment = "";
            var faults = new List<string>();
            if (context.Parse.GetValue(_file) is { } path)
            {
                rules.Apply(await ReadFileAsync(path, cancellationToken), faults);
            }

            foreach (var assignment in context.Parse.GetValue(_set) ?? [])
            {
                rules.Set(assignment, faults);
            }

            rules.Comment = context.Parse.GetValue(_comment) ?? rules.Comment;
            rules.CheckTogether(faults);
            return faults.Count == 0 ? rules : throw JobException.Usage(string.Join(Environment.NewLine, faults));
        }

        private static async Task<JsonObject> ReadFileAsync(string path, CancellationToken cancellationToken)
        {
            try
            {
                var text = await File.ReadAllTextAsync(path, cancellationToken);
                return JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject
                    ?? throw JobException.Usage($"--file '{path}': not a JSON object; allowed: a document as 'scoring rules show --json' writes it");
            }
            catch (JsonException exception)
            {
                // A name that occurs twice is found without a place.
                var fault = exception.LineNumber is { } line
                    ? $"not valid JSON at line {line + 1}, byte {exception.BytePositionInLine + 1}"
                    : "a name occurs twice";
                throw JobException.Usage($"--file '{path}': {fault}; allowed: a document as 'scoring rules show --json' writes it", exception);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw JobException.Usage($"--file '{path}': cannot be read ({exception.GetType().Name}); allowed: a readable JSON file", exception);
            }
        }
    }
}
