using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsvHelper;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Routing;

/// <summary><c>reps list|show|add|import|absence|deactivate</c>.</summary>
internal static class RepCommands
{
    public static PeopleCommand List()
    {
        var inactive = new Option<bool>("--all") { Description = "Inactive reps too" };
        var command = new PeopleCommand("list", "List the reps with their load", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var reps = await LoadAsync(context, connection, null, stop);
            var shown = context.Parse.GetValue(inactive) ? reps : reps.FindAll(r => r.Active);
            if (context.Json)
            {
                context.WriteJson(shown.ConvertAll(object? (r) => r.Document()));
                return ExitCode.Done;
            }

            var table = new Table().AddColumns(
                context.Text("E-mail", "Correo"), context.Text("Name", "Nombre"), context.Text("State", "Estado"), context.Text("Open deals", "Oportunidades"),
                context.Text("Capacity", "Capacidad"), context.Text("Overdue", "Vencidas"), context.Text("Languages", "Idiomas"),
                context.Text("Regions", "Regiones"), context.Text("Specialisations", "Especialidades"));
            foreach (var column in (int[])[3, 4, 5])
            {
                table.Columns[column].RightAligned();
            }

            foreach (var rep in shown)
            {
                table.AddRow(
                    Markup.Escape(rep.Email), Markup.Escape(rep.Name), Markup.Escape(State(context, rep)), $"{rep.Load}", Capacity(context, rep),
                    $"{rep.Overdue}", Words(rep.Languages), Words(rep.Regions), Words(rep.Specialisations));
            }

            context.Console.Write(table);
            if (reps.Count > shown.Count)
            {
                var hidden = reps.Count - shown.Count;
                context.Host.Out.WriteLine($"{hidden} " + context.Words(
                    hidden, "inactive rep is not shown (--all).|inactive reps are not shown (--all).",
                    "representante inactivo no se muestra (--all).|representantes inactivos no se muestran (--all)."));
            }

            return ExitCode.Done;
        });
        command.Options.Add(inactive);
        return command;
    }

    public static PeopleCommand Show()
    {
        var rep = RepArgument();
        var command = new PeopleCommand("show", "Show a rep: settings, load, absences, what past deals tell", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var email = Email(context, rep);
            var found = (await LoadAsync(context, connection, email, stop)).FirstOrDefault() ?? throw Unknown("show", email);
            var absences = await connection.QueryStatementAsync(
                "routing/rep_absences",
                [("rep", email)],
                row => new Absence(
                    row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(1), row.IsDBNull(2) ? null : row.GetFieldValue<DateTimeOffset>(2),
                    row.IsDBNull(3) ? null : row.GetString(3)),
                stop);
            var skills = await connection.ScalarStatementAsync<string>("routing/rep_skills", [("rep", email)], stop);
            Show(context, found, absences, skills);
            return ExitCode.Done;
        });
        command.Arguments.Add(rep);
        return command;
    }

    public static PeopleCommand Add()
    {
        var rep = RepArgument();
        Dictionary<string, Option<string?>> options = new(StringComparer.Ordinal)
        {
            ["name"] = new("--name") { Description = "Name" },
            ["max_active_leads"] = new("--capacity") { Description = "Open deals at most; empty: max_active_leads_per_rep of the run" },
            ["min_active_leads"] = new("--minimum") { Description = "Open deals at least, served first below; empty: min_active_leads_per_rep of the run" },
            ["weight"] = new("--weight") { Description = "Share of leads against the other reps, 1 = as any" },
            ["specialisations"] = new("--specialisations") { Description = "Products or industries, separated by ;" },
            ["languages"] = new("--languages") { Description = "Codes such as en;es; none: any" },
            ["regions"] = new("--regions") { Description = "Regions or countries as in the leads, separated by ;; none: any" },
            ["time_zone"] = new("--time-zone") { Description = "Such as Europe/Madrid" },
            ["work_days"] = new("--work-days") { Description = "ISO days, 1 = Monday, separated by ;" },
            ["work_start"] = new("--work-start") { Description = "Such as 09:00" },
            ["work_end"] = new("--work-end") { Description = "Such as 18:00" },
        };
        var command = new PeopleCommand("add", "Add a rep, or change what is given of the one with this e-mail; an inactive one is active again", async (context, stop) =>
        {
            var faults = new List<string>();
            var document = new RepDocument();
            document.Set("email", context.Parse.GetRequiredValue(rep), "rep", faults);
            document.Set("active", "true", "active", faults);
            foreach (var (column, option) in options)
            {
                if (context.Parse.GetValue(option) is { } text)
                {
                    document.Set(column, text, option.Name, faults);
                }
            }

            await using var database = await context.OpenAsync(stop);
            var saved = await SaveAsync(database, [document], faults, dryRun: false, stop);
            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal) { ["email"] = saved[0].Email, ["result"] = saved[0].Result });
            }
            else
            {
                context.Host.Out.WriteLine($"{saved[0].Email}: {Result(context, saved[0].Result)}");
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(rep);
        foreach (var option in options.Values)
        {
            command.Options.Add(option);
        }

        return command;
    }

    public static PeopleCommand Import()
    {
        var file = new Argument<string>("file") { Description = "CSV with a header: email and any of " + string.Join(", ", RepDocument.Columns.Skip(1)) };
        var dryRun = new Option<bool>("--dry-run") { Description = "Check and count, keep nothing" };
        var command = new PeopleCommand("import", "Add and change reps from a CSV file, all of it or nothing", async (context, stop) =>
        {
            var faults = new List<string>();
            var documents = await ReadAsync(context.Parse.GetRequiredValue(file), faults, stop);
            await using var database = await context.OpenAsync(stop);
            var saved = await SaveAsync(database, documents, faults, context.Parse.GetValue(dryRun), stop);
            var counts = saved.CountBy(s => s.Result, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
            if (context.Json)
            {
                context.WriteJson(((string[])["added", "changed", "unchanged"]).ToDictionary(r => r, object? (r) => counts.GetValueOrDefault(r), StringComparer.Ordinal));
            }
            else
            {
                context.Host.Out.WriteLine(string.Join(
                    ", ", ((string[])["added", "changed", "unchanged"]).Select(r => $"{Result(context, r)} {counts.GetValueOrDefault(r)}")));
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(file);
        command.Options.Add(dryRun);
        return command;
    }

    public static PeopleCommand Absences()
    {
        var rep = RepArgument();
        var from = new Option<string?>("--from") { Description = "First day (YYYY-MM-DD, in the rep's time zone) or an instant with offset" };
        var until = new Option<string?>("--until") { Description = "Last day or an instant; left out: until further notice" };
        var reason = new Option<string?>("--reason") { Description = "Such as holiday" };
        var cancel = new Option<long?>("--cancel") { Description = "Take the absence of this number back (reps show lists them)" };
        var command = new PeopleCommand("absence", "Note when a rep is away: no new leads meanwhile", async (context, stop) =>
        {
            var email = Email(context, rep);
            await using var database = await context.OpenAsync(stop);
            if (context.Parse.GetValue(cancel) is { } number)
            {
                if (context.Parse.GetValue(from) is not null || context.Parse.GetValue(until) is not null || context.Parse.GetValue(reason) is not null)
                {
                    throw JobException.Usage("reps absence: --cancel goes alone; allowed: either --cancel N, or --from with --until and --reason");
                }

                if (await database.ExecuteAsync("routing/cancel_absence", [("id", number), ("rep", email)], stop) == 0)
                {
                    throw JobException.Usage($"reps absence: {Quoted.Text(email)} has no absence {number}");
                }

                Tell(context, email, number, "cancelled", context.Text("cancelled", "anulada"));
                return ExitCode.Done;
            }

            var (id, text) = await AddAbsenceAsync(
                database, email, context.Parse.GetValue(from), context.Parse.GetValue(until), context.Parse.GetValue(reason), stop);
            Tell(context, email, id, "noted", text);
            return ExitCode.Done;
        });
        command.Arguments.Add(rep);
        command.Options.Add(from);
        command.Options.Add(until);
        command.Options.Add(reason);
        command.Options.Add(cancel);
        return command;
    }

    public static PeopleCommand Deactivate()
    {
        var rep = RepArgument();
        var command = new PeopleCommand("deactivate", "Give a rep no more leads; the open deals go to others with the next run of routing", async (context, stop) =>
        {
            var email = Email(context, rep);
            await using var database = await context.OpenAsync(stop);
            var open = await database.InTransactionAsync(
                async (connection, _, token) => await connection.QueryStatementAsync(
                    "routing/deactivate_rep", [("rep", email)], row => row.GetInt64(1), token),
                stop);
            if (open is not [var deals])
            {
                throw Unknown("deactivate", email);
            }

            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal) { ["email"] = email, ["active"] = false, ["open_deals"] = deals });
            }
            else
            {
                context.Host.Out.WriteLine(context.Text(
                    $"{email} is inactive; the next routing assign gives {deals} open deals to others. reps add {email} takes it back.",
                    $"{email} queda inactivo; el próximo routing assign reparte sus {deals} oportunidades abiertas. reps add {email} lo deshace."));
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(rep);
        return command;
    }

    private static Argument<string> RepArgument() => new("rep") { Description = "The rep's e-mail" };

    private static string Email(PeopleContext context, Argument<string> rep) => context.Parse.GetRequiredValue(rep).Trim().ToLowerInvariant();

    private static JobException Unknown(string command, string email) =>
        JobException.Usage($"reps {command}: there is no rep {Quoted.Text(email)}; reps list --all shows them");

    private static Task<List<Rep>> LoadAsync(PeopleContext context, NpgsqlConnection connection, string? email, CancellationToken cancellationToken) =>
        connection.QueryStatementAsync(
            "routing/list_reps", [("rep", email), ("as_of", context.Host.Time.GetUtcNow())], row => new Rep(row, context.Host.Time.GetUtcNow()), cancellationToken);

    /// <summary>Checks what only the database knows and saves all documents, or throws with every fault.</summary>
    private static async Task<List<(string Email, string Result)>> SaveAsync(
        SalesDatabase database, IReadOnlyList<RepDocument> documents, List<string> faults, bool dryRun, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var zones = documents.Select(d => d.TimeZone).OfType<string>().Distinct(StringComparer.Ordinal).ToArray();
        faults.AddRange((await connection.QueryStatementAsync("routing/unknown_time_zones", [("names", zones)], row => row.GetString(0), cancellationToken))
            .Select(zone => $"time_zone: {Quoted.Text(zone)} is not allowed; allowed: a name such as Europe/Madrid"));
        if (faults.Count > 0)
        {
            throw JobException.Usage(string.Join(Environment.NewLine, faults.Take(20)));
        }

        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var saved = await connection.QueryStatementAsync(
            "routing/save_reps",
            [("documents", new JsonArray([.. documents.Select(d => d.Json.DeepClone())]).ToJsonString())],
            row => (row.GetString(0), row.GetString(1)),
            cancellationToken);
        await (dryRun ? transaction.RollbackAsync(cancellationToken) : transaction.CommitAsync(CancellationToken.None));
        return saved;
    }

    /// <summary>Every row of the file; every fault with its line.</summary>
    private static async Task<List<RepDocument>> ReadAsync(string path, List<string> faults, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = File.OpenRead(path);
            string? malformed = null;
            await using var csv = CsvReader.Create(stream, new CsvReaderOptions
            {
                TrackLineNumbers = true,
                OnMalformedRecord = record => malformed ??= $"{record.Reason}",
            });
            await csv.ReadHeaderAsync(cancellationToken);
            string[] header = [.. csv.Headers.ToArray().Select(name => name.Trim())];
            if (header.Length == 0)
            {
                throw JobException.Usage($"reps import: {Quoted.Text(path)} is empty; allowed: a CSV with a header");
            }

            faults.AddRange(header.Where(h => !RepDocument.Columns.Contains(h, StringComparer.Ordinal))
                .Select(h => $"line 1: column {Quoted.Text(h)} is not allowed; allowed: {string.Join(", ", RepDocument.Columns)}"));
            if (!header.Contains("email", StringComparer.Ordinal))
            {
                faults.Add("line 1: there is no column email");
            }

            if (faults.Count > 0)
            {
                return [];
            }

            var documents = new List<RepDocument>();
            var seen = new Dictionary<string, long>(StringComparer.Ordinal);
            while (faults.Count < 20 && await csv.ReadAsync(cancellationToken))
            {
                var place = $"line {csv.LineNumber}";
                if (malformed is not null || csv.FieldCount != header.Length)
                {
                    faults.Add($"{place}: {malformed ?? $"{csv.FieldCount} columns where the header has {header.Length}"}");
                    malformed = null;
                    continue;
                }

                var document = new RepDocument();
                var before = faults.Count;
                for (var column = 0; column < header.Length; column++)
                {
                    document.Set(header[column], csv.GetString(column), $"{place}: {header[column]}", faults);
                }

                if (faults.Count == before && !seen.TryAdd(document.Email, csv.LineNumber))
                {
                    faults.Add($"{place}: {Quoted.Text(document.Email)} stands in line {seen[document.Email]} already");
                }

                documents.Add(document);
            }

            return documents;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CsvFormatException)
        {
            throw JobException.Usage($"reps import: {Quoted.Text(path)} cannot be read ({exception.GetType().Name}); allowed: a readable CSV file", exception);
        }
    }

    private static async Task<(long Id, string Text)> AddAbsenceAsync(
        SalesDatabase database, string email, string? from, string? until, string? reason, CancellationToken cancellationToken)
    {
        var faults = new List<string>();
        var (fromDay, fromAt) = Moment("--from", from, faults);
        var (untilDay, untilAt) = Moment("--until", until, faults);
        if (from is null)
        {
            faults.Add("--from is missing; allowed: a day such as 2026-08-01, or an instant with offset");
        }

        if (reason?.Length > 128)
        {
            faults.Add($"--reason: {reason.Length} characters; allowed: at most 128");
        }

        if (faults.Count > 0)
        {
            throw JobException.Usage(string.Join(Environment.NewLine, faults));
        }

        try
        {
            var noted = await database.InTransactionAsync(
                async (connection, _, token) => await connection.QueryStatementAsync(
                    "routing/add_absence",
                    [
                        ("rep", email), ("from_day", fromDay), ("from_at", fromAt), ("until_day", untilDay), ("until_at", untilAt), ("reason", reason),
                    ],
                    row => (
                        row.GetInt64(0),
                        $"{row.GetFieldValue<DateTimeOffset>(1):yyyy-MM-dd HH:mm} – {(row.IsDBNull(2) ? "…" : $"{row.GetFieldValue<DateTimeOffset>(2):yyyy-MM-dd HH:mm}")} UTC"),
                    token),
                cancellationToken);
            return noted is [var absence] ? absence : throw Unknown("absence", email);
        }
        catch (PostgresException fault) when (fault.SqlState == PostgresErrorCodes.CheckViolation)
        {
            throw JobException.Usage($"--until: {Quoted.Text(until ?? "")} is not after --from {Quoted.Text(from!)}", fault);
        }
    }

    private static (DateOnly? Day, DateTimeOffset? At) Moment(string option, string? text, List<string> faults)
    {
        if (text is null)
        {
            return (null, null);
        }

        if (DateOnly.TryParseExact(text.Trim(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day.Year is > 1970 and < 3000)
        {
            return (day, null);
        }

        if (Instants.TryParse(text, out var instant))
        {
            return (null, instant);
        }

        faults.Add($"{option}: {Quoted.Text(text)} is not allowed; allowed: a day such as 2026-08-01, or an instant with offset such as 2026-08-01T12:00:00Z");
        return (null, null);
    }

    private static void Tell(PeopleContext context, string email, long id, string result, string text)
    {
        if (context.Json)
        {
            context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal) { ["email"] = email, ["absence"] = id, ["result"] = result });
        }
        else
        {
            context.Host.Out.WriteLine(context.Text($"{email}, absence {id}: {text}", $"{email}, ausencia {id}: {text}"));
        }
    }

    private static void Show(PeopleContext context, Rep rep, List<Absence> absences, string? skills)
    {
        if (context.Json)
        {
            var document = rep.Document();
            document["absences"] = absences.ConvertAll(object? (a) => new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["id"] = a.Id,
                ["starts_at"] = a.From,
                ["ends_at"] = a.Until,
                ["reason"] = a.Reason,
            });
            using var json = JsonDocument.Parse(skills ?? "null");
            document["win_rates"] = Plain(json.RootElement);
            context.WriteJson(document);
            return;
        }

        var table = new Table().HideHeaders().AddColumns("", "");
        void Row(string english, string spanish, string value) => table.AddRow(context.Text(english, spanish), Markup.Escape(value));
        Row("e-mail", "correo", rep.Email);
        Row("name", "nombre", rep.Name);
        Row("state", "estado", State(context, rep));
        Row("open deals", "oportunidades abiertas", $"{rep.Load} / {Capacity(context, rep)}");
        Row("minimum", "mínimo", rep.Minimum is { } minimum ? $"{minimum}" : context.Text("the run's", "el de la ejecución"));
        Row("weight", "peso", $"{rep.Weight:0.###}");
        Row("overdue tasks", "tareas vencidas", $"{rep.Overdue}");
        Row("languages", "idiomas", Plain(rep.Languages));
        Row("regions", "regiones", Plain(rep.Regions));
        Row("specialisations", "especialidades", Plain(rep.Specialisations));
        Row("time zone", "zona horaria", rep.TimeZone);
        Row("working hours", "horario", $"{rep.WorkStart}–{rep.WorkEnd}, {string.Join(' ', rep.WorkDays)}");
        Row("won in 30 days", "ganadas en 30 días", rep.WinRate is { } rate ? $"{rep.Won} / {rep.Closed} ({rate:0.#} %)" : "");
        context.Console.Write(table);
        if (skills is not null)
        {
            using var json = JsonDocument.Parse(skills);
            ShowSkills(context, json.RootElement);
        }

        if (absences.Count > 0)
        {
            var away = new Table().Title(context.Text("Absences", "Ausencias")).AddColumns(
                "#", context.Text("From (UTC)", "Desde (UTC)"), context.Text("Until", "Hasta"), context.Text("Reason", "Motivo"));
            foreach (var absence in absences)
            {
                away.AddRow($"{absence.Id}", $"{absence.From:yyyy-MM-dd HH:mm}", absence.Until is { } end ? $"{end:yyyy-MM-dd HH:mm}" : "…", Markup.Escape(absence.Reason ?? ""));
            }

            context.Console.Write(away);
        }
    }

    private static void ShowSkills(PeopleContext context, JsonElement skills)
    {
        var table = new Table().Title(context.Text(
            $"Odds of winning against the team, from {skills.GetProperty("deals")} closed deals ({skills.GetProperty("won")} won), as of run {skills.GetProperty("run_id")}",
            $"Probabilidad (odds) de ganar frente al equipo, de {skills.GetProperty("deals")} oportunidades cerradas ({skills.GetProperty("won")} ganadas), según la ejecución {skills.GetProperty("run_id")}"));
        table.AddColumns(context.Text("Leads", "Leads"), "×");
        table.Columns[1].RightAligned();
        table.AddRow(context.Text("all", "todos"), $"{skills.GetProperty("odds").GetDecimal():0.00}");
        foreach (var member in skills.GetProperty("products").EnumerateObject().Concat(skills.GetProperty("regions").EnumerateObject()))
        {
            table.AddRow(Markup.Escape(member.Name), $"{member.Value.GetDecimal():0.00}");
        }

        context.Console.Write(table);
    }

    private static string State(PeopleContext context, Rep rep) => rep switch
    {
        { Active: false } => context.Text("inactive", "inactivo"),
        { IsAbsent: true, AbsentUntil: { } until } => context.Text($"absent until {until:yyyy-MM-dd}", $"ausente hasta {until:yyyy-MM-dd}"),
        { IsAbsent: true } => context.Text("absent until further notice", "ausente hasta nuevo aviso"),
        { AbsentFrom: { } from } => context.Text($"active, absent from {from:yyyy-MM-dd}", $"activo, ausente desde {from:yyyy-MM-dd}"),
        _ => context.Text("active", "activo"),
    };

    private static string Capacity(PeopleContext context, Rep rep) =>
        rep.Capacity is { } capacity ? $"{capacity}" : context.Text("the run's", "la de la ejecución");

    private static string Result(PeopleContext context, string result) => result switch
    {
        "added" => context.Text("added", "añadidos"),
        "changed" => context.Text("changed", "cambiados"),
        _ => context.Text("unchanged", "sin cambios"),
    };

    private static string Plain(string[] words) => string.Join(", ", words);

    private static string Words(string[] words) => Markup.Escape(Plain(words));

    private static object? Plain(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().ToDictionary(m => m.Name, m => Plain(m.Value), StringComparer.Ordinal),
        JsonValueKind.Number => element.GetDecimal(),
        JsonValueKind.String => element.GetString(),
        _ => null,
    };

    private sealed record Absence(long Id, DateTimeOffset From, DateTimeOffset? Until, string? Reason);

    /// <summary>A row of <c>routing/list_reps</c>.</summary>
    private sealed class Rep(NpgsqlDataReader row, DateTimeOffset now)
    {
        public string Email { get; } = row.GetString(0);

        public string Name { get; } = row.GetString(1);

        public bool Active { get; } = row.GetBoolean(2);

        public DateTimeOffset? AbsentFrom { get; } = row.IsDBNull(3) ? null : row.GetFieldValue<DateTimeOffset>(3);

        public DateTimeOffset? AbsentUntil { get; } = row.IsDBNull(4) ? null : row.GetFieldValue<DateTimeOffset>(4);

        public string? AbsenceReason { get; } = row.IsDBNull(5) ? null : row.GetString(5);

        public long Load { get; } = row.GetInt64(6);

        public int? Capacity { get; } = row.IsDBNull(7) ? null : row.GetInt32(7);

        public int? Minimum { get; } = row.IsDBNull(8) ? null : row.GetInt32(8);

        public decimal Weight { get; } = row.GetDecimal(9);

        public string[] Specialisations { get; } = row.GetFieldValue<string[]>(10);

        public string[] Languages { get; } = row.GetFieldValue<string[]>(11);

        public string[] Regions { get; } = row.GetFieldValue<string[]>(12);

        public string TimeZone { get; } = row.GetString(13);

        public int[] WorkDays { get; } = row.GetFieldValue<int[]>(14);

        public string WorkStart { get; } = row.GetString(15);

        public string WorkEnd { get; } = row.GetString(16);

        public long Overdue { get; } = row.GetInt64(17);

        public decimal? WinRate { get; } = row.IsDBNull(18) ? null : row.GetDecimal(18);

        public long? Won { get; } = row.IsDBNull(19) ? null : row.GetInt64(19);

        public long? Closed { get; } = row.IsDBNull(20) ? null : row.GetInt64(20);

        public bool IsAbsent => AbsentFrom <= now;

        public Dictionary<string, object?> Document() => new(StringComparer.Ordinal)
        {
            ["email"] = Email,
            ["name"] = Name,
            ["active"] = Active,
            ["absent"] = IsAbsent,
            ["absent_from"] = AbsentFrom,
            ["absent_until"] = AbsentUntil,
            ["absence_reason"] = AbsenceReason,
            ["open_deals"] = Load,
            ["max_active_leads"] = Capacity,
            ["min_active_leads"] = Minimum,
            ["weight"] = Weight,
            ["specialisations"] = Specialisations,
            ["languages"] = Languages,
            ["regions"] = Regions,
            ["time_zone"] = TimeZone,
            ["work_days"] = WorkDays.Select(object? (day) => day).ToList(),
            ["work_start"] = WorkStart,
            ["work_end"] = WorkEnd,
            ["overdue_tasks"] = Overdue,
            ["win_rate_pct"] = WinRate,
        };
    }
}
