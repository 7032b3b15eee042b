using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Demo;

/// <summary>
/// <c>demo</c>: a private PostgreSQL, the schema, a realistic sample, and every job on it for real. Everything is removed in the end unless
/// it is to be kept.
/// </summary>
internal static class DemoCommand
{
    /// <param name="dags">What to run, in this order.</param>
    public static PeopleCommand Create(IReadOnlyList<DagDefinition> dags)
    {
        var keep = new Option<bool>("--keep") { Description = "Leave the database running and print how to reach and how to stop it" };
        var leads = WholeNumber.Option(
            "--leads", "Leads in the sample; tasks are ten times as many", 10_000, SampleOptions.FewestLeads, SampleOptions.MostLeads);
        var seed = new Option<long>("--seed")
        {
            Description = "A whole number: another seed is another sample",
            DefaultValueFactory = _ => 1,
        };
        var asOf = new Option<DateTimeOffset?>("--as-of")
        {
            Description = "The sample's present and the jobs': an ISO 8601 instant with offset, such as 2026-01-31T06:00:00Z, in whole "
                + "seconds; left out: the last full hour, and jobs work at the time they run",
            CustomParser = ParseInstant,
        };
        var command = new PeopleCommand("demo", "Show everything at work on a private database with sample data", (context, stop) =>
        {
            var given = context.Parse.GetValue(asOf);
            var present = given ?? LastFullHour(context.Host.Time.GetUtcNow());
            var options = new SampleOptions(present) { Leads = context.Parse.GetValue(leads), Seed = context.Parse.GetValue(seed) };
            return new DemoRun(context, dags, options, given).RunAsync(context.Parse.GetValue(keep), stop);
        });
        command.Options.Add(keep);
        command.Options.Add(leads);
        command.Options.Add(seed);
        command.Options.Add(asOf);
        return command;
    }

    private static DateTimeOffset? ParseInstant(ArgumentResult result)
    {
        if (!Instants.TryParse(result.Tokens[0].Value, out var instant)
            || instant.Ticks % TimeSpan.TicksPerSecond != 0
            || instant.Year is <= 2000 or >= 2100)
        {
            result.AddError("no such instant");
        }

        return instant;
    }

    private static DateTimeOffset LastFullHour(DateTimeOffset now) => new(now.Ticks - (now.Ticks % TimeSpan.TicksPerHour), TimeSpan.Zero);
}

/// <summary>One run of the demo.</summary>
internal sealed class DemoRun(PeopleContext context, IReadOnlyList<DagDefinition> dags, SampleOptions options, DateTimeOffset? jobsAsOf)
{
    private readonly DemoProgress _progress = new(context);
    private readonly List<DemoStep> _steps = [];
    private readonly TimeProvider _time = context.Host.Time;

    public async Task<ExitCode> RunAsync(bool keep, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        await using var server = await StartServerAsync(cancellationToken);
        await using var database = new SalesDatabase(
            server.Connection, new SalesDatabaseOptions { ApplicationName = "sales-tasks demo", AsOf = options.Present }, _time);
        await MigrateAsync(database, cancellationToken);
        var counts = await LoadAsync(database, cancellationToken);
        await database.ExecuteAsync("demo/open_window", [], cancellationToken);
        await using var sinks = DemoSinks.Start(_time);
        foreach (var rep in await RepsAsync(database, cancellationToken))
        {
            sinks.AddOwner(rep);
        }

        var runId = string.Create(CultureInfo.InvariantCulture, $"demo__{_time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss}Z");
        // Made by the job that writes into it, so that a demo that ends early leaves none.
        var folder = Path.Combine(Path.GetTempPath(), "sales-tasks-demo-" + Path.GetRandomFileName());
        var jobs = new DemoJobs(server.Url, sinks, folder, jobsAsOf, runId, _time);
        foreach (var (dag, job) in dags.SelectMany(dag => dag.Steps, (dag, job) => (dag, job)))
        {
            await DoAsync(job.Name, async _ => (0, await jobs.RunAsync(dag, job, cancellationToken)));
        }

        var topLeads = await TopLeadsAsync(database, cancellationToken);
        if (keep)
        {
            await server.KeepAsync();
        }

        var report = Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.html", SearchOption.AllDirectories).FirstOrDefault() : null;
        Show(counts, sinks.Counts, topLeads, keep ? server : null, report, _time.GetElapsedTime(started));
        return sinks.Counts.All(sink => sink.Repeated == 0) ? ExitCode.Done : ExitCode.Defect;
    }

    private Task<DemoServer> StartServerAsync(CancellationToken cancellationToken) => DoAsync(
        context.Text("Start a private PostgreSQL", "Arrancar un PostgreSQL privado"),
        async report =>
        {
            var started = _time.GetTimestamp();
            var server = await DemoServer.StartAsync(context, report, cancellationToken);
            return (server, Step("postgresql", server.Description, started));
        });

    private Task<IReadOnlyList<AppliedMigration>> MigrateAsync(SalesDatabase database, CancellationToken cancellationToken) => DoAsync(
        context.Text("Create the schema", "Crear el esquema"),
        async _ =>
        {
            var started = _time.GetTimestamp();
            var applied = await new Migrator(database, _time).MigrateAsync(cancellationToken);
            return (applied, Step("db migrate", context.Text($"{applied.Count} migrations", $"{applied.Count} migraciones"), started));
        });

    private Task<SampleCounts> LoadAsync(SalesDatabase database, CancellationToken cancellationToken) => DoAsync(
        context.Text("Load the sample", "Cargar los datos de muestra"),
        async report =>
        {
            var started = _time.GetTimestamp();
            var tenth = Math.Max(options.Leads / 10, 50_000);
            long told = 0;
            var counts = await new SampleLoader(database, new SampleGenerator(options)).LoadAsync(
                done =>
                {
                    if (context.Host.ErrorIsTerminal || done - told >= tenth)
                    {
                        told = done;
                        report(context.Text($"{done:N0} of {options.Leads:N0} leads", $"{done:N0} de {options.Leads:N0} leads"));
                    }
                },
                cancellationToken);
            return (counts, Step(context.Text("sample", "muestra"), Describe(counts), started));
        });

    private async Task<T> DoAsync<T>(string title, Func<Action<string>, Task<(T Result, DemoStep Step)>> work)
    {
        var (result, step) = await _progress.RunAsync(title, work);
        _steps.Add(step);
        return result;
    }

    private DemoStep Step(string name, string outcome, long started) =>
        new(name, outcome, _time.GetElapsedTime(started), new Dictionary<string, long>(StringComparer.Ordinal));

    private string Describe(SampleCounts counts) => context.Text(
        $"{counts.Leads:N0} leads, {counts.Reps:N0} reps, {counts.Deals:N0} deals, {counts.Tasks:N0} tasks; {counts.Rows:N0} rows in all",
        $"{counts.Leads:N0} leads, {counts.Reps:N0} representantes, {counts.Deals:N0} oportunidades, {counts.Tasks:N0} tareas; "
        + $"{counts.Rows:N0} filas en total");

    private static async Task<List<string>> RepsAsync(SalesDatabase database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await connection.QueryStatementAsync("demo/reps", [], row => row.GetString(0), cancellationToken);
    }

    private static async Task<List<TopLead>> TopLeadsAsync(SalesDatabase database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await connection.QueryStatementAsync(
            "demo/top_leads",
            [],
            row => new TopLead(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt32(3), row.GetString(4)),
            cancellationToken);
    }

    private void Show(
        SampleCounts counts, IReadOnlyList<SinkCount> sinks, List<TopLead> topLeads, DemoServer? kept, string? report, TimeSpan duration)
    {
        if (context.Json)
        {
            context.WriteJson(Document(counts, sinks, topLeads, kept, report, duration));
            return;
        }

        var table = new Table().AddColumns(
            context.Text("Step", "Paso"), context.Text("What it did", "Qué hizo"), context.Text("Seconds", "Segundos"));
        table.Columns[2].RightAligned();
        foreach (var step in _steps)
        {
            table.AddRow(Markup.Escape(step.Name), Markup.Escape(step.Outcome), $"{step.Duration.TotalSeconds:0.0}");
        }

        table.AddRow(context.Text("all", "todo"), "", $"{duration.TotalSeconds:0.0}");
        context.Console.Write(table);
        ShowSinks(sinks);

        var best = new Table
        {
            Title = new TableTitle(context.Text("The best open leads, and why", "Los mejores leads abiertos, y por qué")),
        };
        best.AddColumns(
            "Lead",
            context.Text("Who", "Quién"),
            context.Text("Stage", "Etapa"),
            context.Text("Score", "Puntos"),
            context.Text("Why", "Por qué"));
        foreach (var lead in topLeads)
        {
            best.AddRow(
                Markup.Escape(lead.ExtId), Markup.Escape(lead.Who), Markup.Escape(lead.Stage), $"{lead.Score}", Markup.Escape(lead.Why));
        }

        context.Console.Write(best);
        ShowWhatNext(topLeads, kept);
        if (report is not null)
        {
            context.Host.Out.WriteLine(context.Text($"The report, for a browser: {report}", $"El informe, para un navegador: {report}"));
        }
    }

    private void ShowSinks(IReadOnlyList<SinkCount> sinks)
    {
        var table = new Table
        {
            Title = new TableTitle(context.Text("What reached the local sinks", "Lo que llegó a los receptores locales")),
        };
        table.AddColumns(context.Text("Sink", "Receptor"), context.Text("Messages", "Mensajes"), context.Text("Came twice", "Llegaron dos veces"));
        table.Columns[1].RightAligned();
        table.Columns[2].RightAligned();
        foreach (var sink in sinks)
        {
            table.AddRow(
                Markup.Escape(sink.Name), sink.Messages.ToString("N0", CultureInfo.InvariantCulture),
                sink.Repeated.ToString("N0", CultureInfo.InvariantCulture));
        }

        context.Console.Write(table);
    }

    private void ShowWhatNext(List<TopLead> topLeads, DemoServer? kept)
    {
        var output = context.Host.Out;
        if (kept is null)
        {
            output.WriteLine(context.Text(
                "The database is gone again. To look around in it: sales-tasks demo --keep",
                "La base de datos ya no existe. Para explorarla: sales-tasks demo --keep"));
            return;
        }

        output.WriteLine(context.Text($"The database stays: {kept.Url}", $"La base de datos sigue en marcha: {kept.Url}"));
        output.WriteLine(context.Text("Try:", "Pruebe:"));
        output.WriteLine($"  export AIRFLOW_CONN_SALES_POSTGRES='{kept.Url}'");
        if (topLeads.Count > 0)
        {
            output.WriteLine($"  ./sales-tasks explain {topLeads[0].ExtId}");
        }

        output.WriteLine("  ./sales-tasks scoring rules show");
        output.WriteLine("  ./sales-tasks reps list");
        output.WriteLine("  ./sales-tasks scoring score --dry-run");
        output.WriteLine($"  psql '{kept.Url}' -c 'SELECT * FROM v_leads_requires_attention LIMIT 10'");
        output.WriteLine(context.Text("Stop and remove it:", "Para detenerla y borrarla:"));
        output.WriteLine($"  {kept.StopCommand}");
    }

    private Dictionary<string, object?> Document(
        SampleCounts counts, IReadOnlyList<SinkCount> sinks, List<TopLead> topLeads, DemoServer? kept, string? report, TimeSpan duration) =>
        new(StringComparer.Ordinal)
        {
            ["sample"] = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["as_of"] = options.Present,
                ["seed"] = options.Seed,
                ["leads"] = counts.Leads,
                ["reps"] = counts.Reps,
                ["engagement_events"] = counts.Events,
                ["deals"] = counts.Deals,
                ["stage_changes"] = counts.StageChanges,
                ["tasks"] = counts.Tasks,
                ["campaign_executions"] = counts.Executions,
                ["campaign_events"] = counts.CampaignEvents,
            },
            ["steps"] = _steps.ConvertAll(object? (step) => new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["step"] = step.Name,
                ["outcome"] = step.Outcome,
                ["counts"] = step.Counts.ToDictionary(count => count.Key, object? (count) => count.Value, StringComparer.Ordinal),
                ["duration_ms"] = (long)step.Duration.TotalMilliseconds,
            }),
            ["sinks"] = sinks.Select(object? (sink) => new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["sink"] = sink.Name,
                ["messages"] = sink.Messages,
                ["repeated"] = sink.Repeated,
            }).ToList(),
            ["top_leads"] = topLeads.ConvertAll(object? (lead) => new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["lead_ext_id"] = lead.ExtId,
                ["who"] = lead.Who,
                ["stage"] = lead.Stage,
                ["score"] = lead.Score,
                ["why"] = lead.Why,
            }),
            ["duration_ms"] = (long)duration.TotalMilliseconds,
            ["report"] = report,
            ["database_url"] = kept?.Url,
            ["stop_command"] = kept?.StopCommand,
        };

    private sealed record TopLead(string ExtId, string Who, string Stage, int Score, string Why);
}
