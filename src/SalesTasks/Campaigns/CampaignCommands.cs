using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Campaigns;

/// <summary><c>campaigns list|show|create|import|enable|disable|delete</c>; see <see cref="CampaignPreview"/>.</summary>
internal static class CampaignCommands
{
    public static PeopleCommand List() => new("list", "List the campaigns with how many leads are in them", async (context, stop) =>
    {
        await using var database = await context.OpenAsync(stop);
        await using var connection = await database.OpenAsync(stop);
        var policy = await CampaignStore.PolicyAsync(connection, stop);
        var campaigns = (await CampaignStore.ListAsync(connection, stop)).ConvertAll(stored => stored.Check(policy));
        var figures = await FiguresAsync(connection, context, null, stop);
        if (context.Json)
        {
            context.WriteJson(campaigns.Select(object? (c) => Describe(c, figures[c.Id])).ToList());
            return ExitCode.Done;
        }

        var table = new Table().AddColumns(
            context.Text("Name", "Nombre"), context.Text("Type", "Tipo"), context.Text("State", "Estado"), context.Text("Steps", "Pasos"),
            context.Text("Active", "Activas"), context.Text("Due", "Pendientes"), context.Text("Paused", "En pausa"),
            context.Text("Completed", "Completadas"), context.Text("Stopped", "Detenidas"));
        foreach (var campaign in campaigns)
        {
            var counted = figures[campaign.Id];
            table.AddRow(
                Markup.Escape(campaign.Stored.Name), Words.Text(context, campaign.Stored.Type), State(context, campaign), campaign.Campaign is { } valid ? $"{valid.Steps.Count}" : "?",
                $"{counted.Active}", $"{counted.Due}", $"{counted.Paused}", $"{counted.Completed}", $"{counted.Stopped}");
        }

        context.Console.Write(table);
        foreach (var bad in campaigns.Where(campaign => campaign.Campaign is null))
        {
            WriteFaults(context, bad);
        }

        return ExitCode.Done;
    });

    public static PeopleCommand Show()
    {
        var name = Name();
        var command = new PeopleCommand("show", "Show a campaign: criteria, steps, figures, results of its variants", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var stored = await CampaignStore.LoadAsync(connection, context.Parse.GetRequiredValue(name), stop);
            var campaign = stored.Check(await CampaignStore.PolicyAsync(connection, stop));
            var figures = (await FiguresAsync(connection, context, stored.Id, stop))[stored.Id];
            var reasons = await connection.QueryStatementAsync(
                "campaigns/stop_reasons", [("id", stored.Id)], row => KeyValuePair.Create(row.GetString(0), row.GetInt64(1)), stop);
            var results = await CampaignResults.LoadAsync(connection, stored.Id, stop);
            if (context.Json)
            {
                var members = Describe(campaign, figures);
                members["stop_reasons"] = reasons.ToDictionary(reason => reason.Key, object? (reason) => reason.Value, StringComparer.Ordinal);
                members["variants"] = results.Select(object? (result) => result.Describe()).ToList();
                members["document"] = Plain(stored.Document());
                context.WriteJson(members);
                return ExitCode.Done;
            }

            Show(context, campaign, figures, reasons);
            CampaignResults.Write(context, results);
            return ExitCode.Done;
        });
        command.Arguments.Add(name);
        return command;
    }

    public static PeopleCommand Create()
    {
        var name = new Argument<string>("name") { Description = "Name of the campaign" };
        var type = new Option<string>("--type") { Description = "email_sequence, call_campaign, multichannel or nurturing", Required = true };
        var description = new Option<string?>("--description") { Description = "What it is for" };
        var criteria = new Option<string[]>("--where") { Description = "KEY=VALUE of trigger_criteria, such as stage=qualified,contacted or score_min=60; may be repeated" };
        var steps = new Option<string[]>("--step")
        {
            Description = "TYPE;DELAY_HOURS;SUBJECT;BODY, such as \"email;48;Hello {{ first_name }};A word.\"; may be repeated",
            Required = true,
        };
        var most = new Option<int?>("--max-leads-per-run") { Description = "Leads enrolled at most in one run, 0: no limit; left out: 50" };
        var enabled = new Option<bool>("--enable") { Description = "Begin at once; without it the campaign is saved disabled" };
        var command = new PeopleCommand("create", "Save a new campaign from flags; a file can say more, see import", async (context, stop) =>
        {
            var document = new JsonObject
            {
                ["name"] = context.Parse.GetRequiredValue(name),
                ["campaign_type"] = context.Parse.GetRequiredValue(type),
                ["enabled"] = context.Parse.GetValue(enabled),
                ["trigger_criteria"] = CampaignFlags.Criteria(context.Parse.GetValue(criteria) ?? []),
                ["steps_config"] = CampaignFlags.Steps(context.Parse.GetRequiredValue(steps)),
            };
            if (context.Parse.GetValue(description) is { } text)
            {
                document["description"] = text;
            }

            if (context.Parse.GetValue(most) is { } limit)
            {
                document["max_leads_per_run"] = limit;
            }

            await using var database = await context.OpenAsync(stop);
            await SaveAsync(context, database, [("campaigns create", document)], mayExist: false, stop);
            return ExitCode.Done;
        });
        command.Arguments.Add(name);
        foreach (var option in (Option[])[type, description, criteria, steps, most, enabled])
        {
            command.Options.Add(option);
        }

        return command;
    }

    public static PeopleCommand Import()
    {
        var files = new Argument<string[]>("file") { Description = "Campaign files, YAML or JSON", Arity = ArgumentArity.OneOrMore };
        var command = new PeopleCommand("import", "Check campaign files and save them by name; the same file again changes nothing", async (context, stop) =>
        {
            var documents = context.Parse.GetRequiredValue(files).Select(path => ($"'{path}'", CampaignFile.Read(path))).ToList();
            await using var database = await context.OpenAsync(stop);
            await SaveAsync(context, database, documents, mayExist: true, stop);
            return ExitCode.Done;
        });
        command.Arguments.Add(files);
        return command;
    }

    public static PeopleCommand Enable() => Switch("enable", "Let a campaign take in leads and go on with those it has", on: true);

    public static PeopleCommand Disable() => Switch("disable", "Halt a campaign: it takes in nobody, nothing more is sent, and enable lets it go on", on: false);

    public static PeopleCommand Delete()
    {
        var name = Name();
        var force = new Option<bool>("--force") { Description = "Delete its executions, events and messages as well" };
        var command = new PeopleCommand("delete", "Delete a campaign; one that leads have been in only with --force, since their history goes too", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var stored = await CampaignStore.LoadAsync(connection, context.Parse.GetRequiredValue(name), stop);
            var forced = context.Parse.GetValue(force);
            var executions = await database.InTransactionAsync(
                async (held, _, token) =>
                {
                    var (all, open) = (await held.QueryStatementAsync(
                        "campaigns/lock_executions", [("id", stored.Id)], row => (row.GetInt64(0), row.GetInt64(1)), token))[0];
                    if (all > 0 && !forced)
                    {
                        throw JobException.Usage(
                            $"campaigns delete: leads that have been in {Quoted.Text(stored.Name)}: {all}, those that still are: {open}; deleting it deletes what was "
                            + "sent to them from the records; allowed: campaigns disable, or delete with --force");
                    }

                    await held.ExecuteStatementAsync("campaigns/delete_campaign", [("id", stored.Id)], token);
                    return all;
                },
                stop);
            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["name"] = stored.Name,
                    ["deleted"] = true,
                    ["executions"] = executions,
                });
            }
            else
            {
                context.Host.Out.WriteLine(context.Text("Deleted, with", "Borrada, con") + $" {executions} {context.Words(executions, "execution.|executions.", "ejecución.|ejecuciones.")}");
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(name);
        command.Options.Add(force);
        return command;
    }

    public static Argument<string> Name() => new("name") { Description = "Name of a campaign" };

    private static PeopleCommand Switch(string verb, string description, bool on)
    {
        var name = Name();
        var command = new PeopleCommand(verb, description, async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var stored = await CampaignStore.LoadAsync(connection, context.Parse.GetRequiredValue(name), stop);
            if (on && stored.Check(await CampaignStore.PolicyAsync(connection, stop)) is { Campaign: null } bad)
            {
                throw JobException.Usage($"campaigns enable: {Quoted.Text(stored.Name)} is invalid:\n{string.Join('\n', bad.Faults)}");
            }

            var asOf = context.Host.Time.GetUtcNow();
            var (changed, executions) = await database.InTransactionAsync(
                async (held, _, token) =>
                {
                    // Executions and what waits in the outbox follow at once, not with the next run.
                    var switched = await held.ExecuteStatementAsync("campaigns/set_enabled", [("id", stored.Id), ("enabled", on), ("as_of", asOf)], token);
                    (string, object?)[] parameters = [("campaign", stored.Id), ("as_of", asOf), ("shard_index", 0), ("shard_count", 1)];
                    var moved = on
                        ? await held.ExecuteStatementAsync("campaigns/resume", parameters, token)
                        : await held.ExecuteStatementAsync("campaigns/pause", [.. parameters, ("ids", null)], token);
                    return (switched > 0, moved);
                },
                stop);
            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["name"] = stored.Name,
                    ["enabled"] = on,
                    ["changed"] = changed,
                    ["executions"] = executions,
                });
            }
            else
            {
                var (state, leads) = on
                    ? (context.Text("Enabled", "Activada"), context.Words(executions, "lead goes on.|leads go on.", "lead continúa.|leads continúan."))
                    : (context.Text("Disabled", "Desactivada"), context.Words(executions, "lead is halted.|leads are halted.", "lead queda en pausa.|leads quedan en pausa."));
                context.Host.Out.WriteLine(changed || executions > 0
                    ? $"{state}; {executions} {leads}"
                    : context.Text("It is so already.", "Ya estaba así."));
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(name);
        return command;
    }

    /// <summary>Checks all documents, and saves them together where all are good.</summary>
    private static async Task SaveAsync(
        PeopleContext context, SalesDatabase database, List<(string Origin, JsonNode? Document)> documents, bool mayExist, CancellationToken stop)
    {
        await using var connection = await database.OpenAsync(stop);
        var policy = await CampaignStore.PolicyAsync(connection, stop);
        var read = documents.ConvertAll(document => (document.Origin, document.Document, Read: CampaignReader.Read(document.Document, policy)));
        var faults = read.SelectMany(document => document.Read.Faults.Select(fault => $"{document.Origin}, {fault}")).ToList();
        foreach (var twice in read.Where(document => document.Read.Campaign is not null).GroupBy(document => document.Read.Campaign!.Name, StringComparer.Ordinal).Where(group => group.Count() > 1))
        {
            faults.Add($"{string.Join(" and ", twice.Select(document => document.Origin))}: both are named {Quoted.Text(twice.Key)}; allowed: a name a campaign");
        }

        if (faults.Count > 0)
        {
            throw JobException.Usage(string.Join('\n', faults));
        }

        var saved = await database.InTransactionAsync(
            async (held, _, token) =>
            {
                var states = new List<(Campaign Campaign, string State)>();
                foreach (var (_, document, (campaign, _)) in read)
                {
                    if (!mayExist && await CampaignStore.FindAsync(held, campaign!.Name, token) is not null)
                    {
                        throw JobException.Usage($"campaigns create: there is a campaign {Quoted.Text(campaign.Name)} already; allowed: another name, or campaigns import to change it");
                    }

                    states.Add((campaign!, await SaveAsync(held, campaign!, (JsonObject)document!, context.Host.Time.GetUtcNow(), token)));
                }

                return states;
            },
            stop);
        if (context.Json)
        {
            context.WriteJson(saved.Select(object? (s) => new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["name"] = s.Campaign.Name,
                ["state"] = s.State,
            }).ToList());
            return;
        }

        foreach (var (campaign, state) in saved)
        {
            context.Host.Out.WriteLine($"{campaign.Name}: " + state switch
            {
                "created" when campaign.Enabled => context.Text("created, enabled", "creada, activada"),
                "created" => context.Text(
                    $"created, disabled; look at it with campaigns preview, then campaigns enable",
                    $"creada, desactivada; mírala con campaigns preview y actívala con campaigns enable"),
                "changed" => context.Text("changed", "cambiada"),
                _ => context.Text("unchanged", "sin cambios"),
            });
        }
    }

    private static async Task<string> SaveAsync(
        NpgsqlConnection connection, Campaign campaign, JsonObject document, DateTimeOffset asOf, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryStatementAsync(
            "campaigns/save_campaign",
            [
                ("name", campaign.Name), ("description", campaign.Description), ("type", campaign.Type),
                ("criteria", document["trigger_criteria"]?.ToJsonString() ?? "{}"), ("steps", document["steps_config"]!.ToJsonString()),
                ("enabled", campaign.Enabled), ("max_leads", campaign.MaxLeadsPerRun), ("as_of", asOf),
            ],
            row => row.GetBoolean(0),
            cancellationToken);
        return rows.Count == 0 ? "unchanged" : rows[0] ? "created" : "changed";
    }

    private static void Show(PeopleContext context, CheckedCampaign campaign, CampaignFigures figures, List<KeyValuePair<string, long>> reasons)
    {
        var stored = campaign.Stored;
        var table = new Table().HideHeaders().AddColumns("", "");
        void Row(string english, string spanish, string value) => table.AddRow(context.Text(english, spanish), Markup.Escape(value));

        Row("name", "nombre", stored.Name);
        if (stored.Description is not null)
        {
            Row("description", "descripción", stored.Description);
        }

        Row("type", "tipo", Words.Text(context, stored.Type));
        Row("state", "estado", State(context, campaign));
        Row("criteria", "criterios", stored.Criteria);
        Row("leads per run", "leads por ejecución", stored.MaxLeadsPerRun > 0 ? $"{stored.MaxLeadsPerRun}" : context.Text("no limit", "sin límite"));
        Row("active", "activas", $"{figures.Active} ({context.Text("due", "pendientes")}: {figures.Due})");
        Row("paused", "en pausa", $"{figures.Paused}");
        Row("completed", "completadas", $"{figures.Completed}");
        Row("stopped", "detenidas", $"{figures.Stopped}");
        foreach (var (reason, count) in reasons)
        {
            Row("  " + reason, "  " + Words.Text(context, reason), $"{count}");
        }

        context.Console.Write(table);
        if (campaign.Campaign is not { } valid)
        {
            WriteFaults(context, campaign);
            return;
        }

        var steps = new Table().AddColumns(
            "#", context.Text("Type", "Tipo"), context.Text("Delay (h)", "Espera (h)"), context.Text("Variants", "Variantes"),
            context.Text("Languages", "Idiomas"), context.Text("Window", "Horario"));
        for (var i = 0; i < valid.Steps.Count; i++)
        {
            var step = valid.Steps[i];
            steps.AddRow(
                $"{i + 1}", Words.Text(context, step.Type.ToString().ToLowerInvariant()), step.Delay.TotalHours.ToString(CultureInfo.InvariantCulture),
                string.Join(", ", step.Variants.Where(variant => variant.Name.Length > 0).Select(variant => Markup.Escape($"{variant.Name} ({variant.Weight})"))),
                string.Join(", ", step.Variants[0].Texts.Keys.Where(language => language.Length > 0)),
                step.Window is { } window
                    ? $"{(window.Days is { } days ? string.Join(',', days) : "")} {window.Start:HH':'mm}-{window.End:HH':'mm}".Trim()
                    : "");
        }

        context.Console.Write(steps);
    }

    private static void WriteFaults(PeopleContext context, CheckedCampaign campaign)
    {
        context.Host.Out.WriteLine(context.Text(
            $"{campaign.Stored.Name} is invalid; jobs leave it out:", $"{campaign.Stored.Name} no es válida; los trabajos la omiten:"));
        foreach (var fault in campaign.Faults)
        {
            context.Host.Out.WriteLine("  " + fault);
        }
    }

    private static string State(PeopleContext context, CheckedCampaign campaign) =>
        campaign.Campaign is null ? context.Text("invalid", "no válida")
        : campaign.Stored.Enabled ? context.Text("enabled", "activada")
        : context.Text("disabled", "desactivada");

    private static Dictionary<string, object?> Describe(CheckedCampaign campaign, CampaignFigures figures) => new(StringComparer.Ordinal)
    {
        ["name"] = campaign.Stored.Name,
        ["campaign_type"] = campaign.Stored.Type,
        ["enabled"] = campaign.Stored.Enabled,
        ["valid"] = campaign.Campaign is not null,
        ["faults"] = campaign.Faults.Cast<object?>().ToList(),
        ["max_leads_per_run"] = campaign.Stored.MaxLeadsPerRun,
        ["active"] = figures.Active,
        ["due"] = figures.Due,
        ["paused"] = figures.Paused,
        ["completed"] = figures.Completed,
        ["stopped"] = figures.Stopped,
        ["created_at"] = campaign.Stored.CreatedAt,
        ["updated_at"] = campaign.Stored.UpdatedAt,
    };

    private static async Task<Dictionary<long, CampaignFigures>> FiguresAsync(
        NpgsqlConnection connection, PeopleContext context, long? id, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryStatementAsync(
            "campaigns/figures",
            [("id", id), ("as_of", context.Host.Time.GetUtcNow())],
            row => (Id: row.GetInt64(0), Figures: new CampaignFigures(row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5))),
            cancellationToken);
        return rows.ToDictionary(row => row.Id, row => row.Figures);
    }

    /// <summary>JSON as the values that <see cref="JsonValues"/> writes.</summary>
    private static object? Plain(JsonNode? node) => node switch
    {
        JsonObject members => members.ToDictionary(member => member.Key, member => Plain(member.Value), StringComparer.Ordinal),
        JsonArray list => list.Select(Plain).ToList(),
        JsonValue value => value.GetValueKind() switch
        {
            JsonValueKind.String => value.GetValue<string>(),
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => decimal.TryParse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : value.ToJsonString(),
        },
        _ => null,
    };

    private sealed record CampaignFigures(long Active, long Paused, long Completed, long Stopped, long Due);
}
