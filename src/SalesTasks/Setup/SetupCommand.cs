using System.CommandLine;
using System.Text.Json.Nodes;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Setup;

/// <summary>
/// <c>setup</c>: from an empty server to a database that jobs can work on. It runs the commands a person would run one by one, each of which is a
/// transaction that changes nothing where all is done already; so setup may be stopped anywhere and run again.
/// </summary>
internal static class SetupCommand
{
    /// <param name="run">Runs a command of the program in a process surrounding of its own.</param>
    public static PeopleCommand Create(Func<CommandHost, string[], Task<ExitCode>> run)
    {
        var yes = new Option<bool>("--yes") { Description = "Ask nothing: do what the flags say" };
        var roles = new Option<bool>("--roles") { Description = "Make the database's group roles, as db roles apply does" };
        var reps = new Option<string?>("--reps") { Description = "CSV file of sales representatives to import, as for reps import" };
        var sampleReps = new Option<bool>("--sample-reps") { Description = "Add four sample representatives, where there are none" };
        var sampleCampaigns = new Option<bool>("--sample-campaigns") { Description = "Add the sample campaigns, disabled, where there is none of their name" };
        var command = new PeopleCommand(
            "setup", "Set up a database: create it, its schema, representatives, campaigns, and check it; asks on a terminal", async (context, stop) =>
            {
                var given = new SetupPlan(context.Parse.GetValue(roles), context.Parse.GetValue(reps), context.Parse.GetValue(sampleReps), context.Parse.GetValue(sampleCampaigns));
                if (given is { RepsFile: not null, SampleReps: true })
                {
                    throw JobException.Usage("setup: --reps and --sample-reps exclude each other; allowed: one of them, or none");
                }

                if (given.RepsFile is { } path && !File.Exists(path))
                {
                    throw JobException.Usage($"setup: --reps {Quoted.Text(path)} cannot be read; allowed: a CSV file");
                }

                var ask = !context.Parse.GetValue(yes);
                if (ask && (context.Json || !context.Host.InIsTerminal || !context.Host.OutIsTerminal))
                {
                    throw JobException.Usage("setup: there is no terminal to ask on; allowed: --yes with --roles, --reps FILE, --sample-reps, --sample-campaigns");
                }

                return await new SetupRun(context, run).RunAsync(given, ask, stop);
            });
        command.Options.Add(yes);
        command.Options.Add(roles);
        command.Options.Add(reps);
        command.Options.Add(sampleReps);
        command.Options.Add(sampleCampaigns);
        return command;
    }
}

/// <summary>One run of <c>setup</c>.</summary>
internal sealed class SetupRun(PeopleContext context, Func<CommandHost, string[], Task<ExitCode>> run)
{
    private readonly List<SetupStep> _steps = [];
    private string? _typedConnection;

    private string ConnectionId { get; } = new ConnectionIds(context.Host.Environment).Postgres;

    public async Task<ExitCode> RunAsync(SetupPlan plan, bool ask, CancellationToken stop)
    {
        var wizard = ask ? new SetupWizard(context, stop) : null;
        if (wizard is not null && !IsDefined())
        {
            _typedConnection = await wizard.AskConnectionAsync(ConnectionId);
        }

        var connection = PostgresConnectionString.From(new ConnectionResolver(Environment).Resolve(ConnectionId));
        var exists = await SetupDatabase.ExistsAsync(connection, context.Host.Time, stop);
        if (wizard is not null)
        {
            plan = await wizard.AskPlanAsync(plan);
            Announce(plan, connection, exists);
            if (!await wizard.ConfirmAsync("Go ahead?", "¿Continuar?", true))
            {
                wizard.Say("Nothing was changed.", "No se ha cambiado nada.");
                return ExitCode.Done;
            }
        }

        if (!exists)
        {
            var made = await SetupDatabase.CreateAsync(connection, context.Host.Time, stop);
            Done($"CREATE DATABASE {connection.Database}", made, context.Text("created", "creada"));
        }

        var ended = await DoAsync(plan, connection, stop);
        if (ended is not (ExitCode.Done or ExitCode.Findings))
        {
            context.Host.Error.WriteLine(context.Text(
                "setup stopped here; what is done stays, and setup goes on from there when it is run again",
                "setup se detuvo aquí; lo hecho queda, y al ejecutarlo de nuevo sigue desde ahí"));
            return ended;
        }

        ShowEnd(connection, ended);
        return ended;
    }

    private async Task<ExitCode> DoAsync(SetupPlan plan, NpgsqlConnectionStringBuilder connection, CancellationToken stop)
    {
        var (migrated, migrations) = await RunAsync("db", "migrate");
        if (migrations is null)
        {
            return migrated;
        }

        var applied = migrations.AsArray().Count;
        Done("db migrate", applied > 0, applied > 0
            ? $"{applied} {context.Words(applied, "migration applied|migrations applied", "migración aplicada|migraciones aplicadas")}"
            : context.Text("up to date", "al día"));

        var folder = Directory.CreateTempSubdirectory("sales-tasks-setup");
        try
        {
            foreach (var part in (Func<Task<ExitCode>>[])[() => RolesAsync(plan), () => RepsAsync(plan, folder.FullName, connection, stop), () => CampaignsAsync(plan, folder.FullName, connection, stop)])
            {
                stop.ThrowIfCancellationRequested();
                if (await part() is not ExitCode.Done and var failed)
                {
                    return failed;
                }
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        var (validated, report) = await RunAsync("validate");
        if (report is null)
        {
            return validated;
        }

        var findings = report["findings"]!.AsArray();
        Done("validate", false, findings.Count == 0
            ? context.Text("nothing found", "sin hallazgos")
            : string.Join("; ", findings.Select(f => $"{Visible.Text((string?)f!["subject"])}: {Visible.Text((string?)f["detail"])}")));
        return CheckConnections() && findings.Count == 0 ? ExitCode.Done : ExitCode.Findings;
    }

    private async Task<ExitCode> RolesAsync(SetupPlan plan)
    {
        if (!plan.Roles)
        {
            return ExitCode.Done;
        }

        var (ended, answer) = await RunAsync("db", "roles", "apply");
        if (answer is not null)
        {
            var changed = (bool)answer["changed"]!;
            Done("db roles apply", changed, changed
                ? string.Join(", ", answer["roles"]!.AsObject().Select(role => (string)role.Value!))
                : context.Text("as they should be", "como deben"));
        }

        return ended;
    }

    private async Task<ExitCode> RepsAsync(SetupPlan plan, string folder, NpgsqlConnectionStringBuilder connection, CancellationToken stop)
    {
        var file = plan.RepsFile;
        if (plan.SampleReps)
        {
            var there = (await KnownAsync(connection, stop)).Reps;
            if (there > 0)
            {
                Done("reps import", false, context.Text(
                    $"representatives are there already ({there}); no samples added", $"ya hay representantes ({there}); no se añaden de muestra"));
                return ExitCode.Done;
            }

            var sample = Samples.Of("reps")[0];
            file = Path.Combine(folder, sample.File);
            await File.WriteAllTextAsync(file, sample.Text, stop);
        }

        if (file is null)
        {
            return ExitCode.Done;
        }

        var (ended, saved) = await RunAsync("reps", "import", file);
        if (saved is not null)
        {
            var (added, changed, unchanged) = ((int)saved["added"]!, (int)saved["changed"]!, (int)saved["unchanged"]!);
            Done("reps import", added + changed > 0, context.Text(
                $"{added} added, {changed} changed, {unchanged} unchanged", $"{added} añadidos, {changed} cambiados, {unchanged} sin cambios"));
        }

        return ended;
    }

    private async Task<ExitCode> CampaignsAsync(SetupPlan plan, string folder, NpgsqlConnectionStringBuilder connection, CancellationToken stop)
    {
        if (!plan.SampleCampaigns)
        {
            return ExitCode.Done;
        }

        var known = (await KnownAsync(connection, stop)).Campaigns;
        var files = new List<string>();
        foreach (var (file, text) in Samples.Of("campaigns").Where(sample => !known.Contains(Samples.CampaignName(sample.Text), StringComparer.Ordinal)))
        {
            files.Add(Path.Combine(folder, file));
            await File.WriteAllTextAsync(files[^1], text, stop);
        }

        if (files.Count == 0)
        {
            Done("campaigns import", false, context.Text("the sample campaigns are there already", "las campañas de muestra ya están"));
            return ExitCode.Done;
        }

        var (ended, saved) = await RunAsync(["campaigns", "import", .. files]);
        if (saved is not null)
        {
            Done("campaigns import", true, context.Text(
                $"{files.Count} added, disabled; look at one with campaigns preview, then campaigns enable",
                $"{files.Count} añadidas, desactivadas; míralas con campaigns preview y actívalas con campaigns enable"));
        }

        return ended;
    }

    /// <summary>Every connection that the environment names can be read. Nothing is sent to anybody.</summary>
    private bool CheckConnections()
    {
        var ids = new ConnectionIds(context.Host.Environment);
        var named = new (string Variable, string? Id)[]
        {
            (ConnectionIds.EmailVariable, ids.Email), (ConnectionIds.SlackVariable, ids.Slack), (ConnectionIds.CallsVariable, ids.Calls),
            (ConnectionIds.TasksVariable, ids.Tasks), (ConnectionIds.CrmVariable, ids.Crm), (ConnectionIds.S3Variable, ids.S3), (ConnectionIds.MlVariable, ids.Ml),
        };
        var good = true;
        foreach (var (variable, id) in named)
        {
            if (id is null)
            {
                continue;
            }

            try
            {
                var connection = context.Host.Connections().Resolve(id);
                Done(variable, false, context.Text($"{id}, {connection.Type}: readable", $"{id}, {connection.Type}: legible"));
            }
            catch (JobException fault)
            {
                good = false;
                Done(variable, false, fault.Message);
            }
        }

        if (named.All(connection => connection.Id is null))
        {
            Done("connections", false, context.Text(
                "none but the database is named: nothing is sent until SALES_EMAIL_CONN_ID and the like are set",
                "solo está la de la base de datos: no se envía nada hasta definir SALES_EMAIL_CONN_ID y las demás"));
        }

        return good;
    }

    private async Task<(long Reps, string[] Campaigns)> KnownAsync(NpgsqlConnectionStringBuilder connection, CancellationToken stop)
    {
        await using var database = new SalesDatabase(connection, new SalesDatabaseOptions(), context.Host.Time);
        await using var open = await database.OpenAsync(stop);
        return (await open.QueryStatementAsync("setup/known", [], row => (row.GetInt64(0), row.GetFieldValue<string[]>(1)), stop))[0];
    }

    /// <summary>Runs a command; its JSON answer, null where it failed (what it said stands on stderr already).</summary>
    private async Task<(ExitCode ExitCode, JsonNode? Answer)> RunAsync(params string[] arguments)
    {
        await using var output = new StringWriter();
        var exitCode = await run(
            new CommandHost { Environment = Environment, Time = context.Host.Time, Out = output, Error = context.Host.Error },
            [.. arguments, "--json", "--lang", context.Text("en", "es")]);
        return (exitCode, exitCode is ExitCode.Done or ExitCode.Findings ? JsonNode.Parse(output.ToString()) : null);
    }

    private void Done(string name, bool changed, string outcome)
    {
        _steps.Add(new SetupStep(name, changed, outcome));
        if (!context.Json)
        {
            context.Host.Out.WriteLine($"{name}: {outcome}");
        }
    }

    private void Announce(SetupPlan plan, NpgsqlConnectionStringBuilder connection, bool exists)
    {
        var output = context.Host.Out;
        output.WriteLine(context.Text("This will be done:", "Se hará lo siguiente:"));
        if (!exists)
        {
            output.WriteLine(context.Text($"  create the database {connection.Database} at {connection.Host}", $"  crear la base de datos {connection.Database} en {connection.Host}"));
        }

        output.WriteLine(context.Text(
            $"  create or update the schema in {connection.Database}, and check it", $"  crear o actualizar el esquema en {connection.Database}, y comprobarlo"));
        if (plan.Roles)
        {
            output.WriteLine(context.Text("  make the database's group roles", "  crear los roles de grupo de la base de datos"));
        }

        if (plan.RepsFile is not null || plan.SampleReps)
        {
            output.WriteLine(context.Text("  import representatives: ", "  importar representantes: ") + (plan.RepsFile ?? context.Text("samples", "de muestra")));
        }

        if (plan.SampleCampaigns)
        {
            output.WriteLine(context.Text("  add the sample campaigns, disabled", "  añadir las campañas de muestra, desactivadas"));
        }
    }

    private void ShowEnd(NpgsqlConnectionStringBuilder connection, ExitCode ended)
    {
        var changed = _steps.Any(step => step.Changed);
        if (context.Json)
        {
            context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["changed"] = changed,
                ["valid"] = ended is ExitCode.Done,
                ["steps"] = _steps.ConvertAll(object? (step) => new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["step"] = step.Name,
                    ["changed"] = step.Changed,
                    ["outcome"] = step.Outcome,
                }),
            });
            return;
        }

        var output = context.Host.Out;
        if (!changed)
        {
            output.WriteLine(context.Text("Everything was set up already: nothing was changed.", "Todo estaba ya configurado: no se ha cambiado nada."));
        }

        if (_typedConnection is not null)
        {
            output.WriteLine(context.Text("Keep the connection for the next commands (with your password):", "Guarda la conexión para las próximas órdenes (con tu contraseña):"));
            output.WriteLine($"  export {Variable}='postgres://{Uri.EscapeDataString(connection.Username!)}:PASSWORD@{connection.Host}:{connection.Port}/{Uri.EscapeDataString(connection.Database!)}'");
        }

        output.WriteLine(context.Text("Next: sales-tasks leads import --path leads.csv, then sales-tasks scoring score", "Siguiente: sales-tasks leads import --path leads.csv, después sales-tasks scoring score"));
    }

    private string Variable => "AIRFLOW_CONN_" + ConnectionId.ToUpperInvariant();

    private bool IsDefined() =>
        !string.IsNullOrWhiteSpace(context.Host.Environment(Variable)) || !string.IsNullOrWhiteSpace(context.Host.Environment(ConnectionResolver.FileVariable));

    /// <summary>The environment with what was typed in.</summary>
    private string? Environment(string name) => _typedConnection is not null && name == Variable ? _typedConnection : context.Host.Environment(name);
}
