using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using SalesTasks.Database;
using SalesTasks.Demo;

namespace SalesTasks.Benchmarks;

/// <summary>
/// Every job on the demo's sample at several sizes: for the first time, again with nothing changed, and with 1 % of the leads changed. What counts is
/// the processor time of program and server together (the other work of a busy machine does not enter it) for each lead, against the smallest size,
/// and the program's peak memory.
/// </summary>
[SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Fixed texts with a size.")]
internal sealed class ScaleBenchmark
{
    /// <summary>What the sample calls the present; jobs work at it, and an hour later where something changed meanwhile.</summary>
    private static readonly DateTimeOffset s_present = LastFullHour(TimeProvider.System.GetUtcNow());

    /// <summary>In the order of the day. What needs the CRM's stand-in sends no more than fits into the bench's own memory.</summary>
    private static readonly ScaleJob[] s_jobs =
    [
        new("scoring score"), new("scoring qualify"), new("scoring summarize"), new("ml train", Once: true), new("ml predict"), new("timing analyze"),
        new("timing apply"), new("routing assign"), new("followup create-tasks"), new("campaigns enroll"), new("campaigns advance"),
        new("outbox dispatch"), new("pipeline advance"), new("followup summarize"), new("alerts evaluate"), new("reports build"),
        new("crm push", MostLeads: 100_000), new("crm pull", MostLeads: 100_000), new("db maintain"),
        new("health", Person: true), new("insights", Person: true), new("validate", Person: true), new("validate --full", Person: true),
    ];

    /// <summary>Doubles the leads, hence last.</summary>
    private static readonly ScaleJob s_import = new("leads import");

    private static IEnumerable<string> AllJobs => s_jobs.Append(s_import).Select(job => job.Command);

    private readonly List<ScaleRun> _runs = [];
    private readonly IReadOnlyList<string> _wanted;

    private ScaleBenchmark(IReadOnlyList<string> wanted) => _wanted = wanted;

    /// <summary>What is wrong with the names of jobs; null: nothing.</summary>
    public static string? Fault(IEnumerable<string> wanted)
    {
        var unknown = wanted.Except(AllJobs, StringComparer.Ordinal).ToList();
        return unknown.Count == 0 ? null : $"--jobs: no such job: {string.Join(", ", unknown)}; allowed: {string.Join(", ", AllJobs)}";
    }

    /// <param name="sizes">Leads, smallest first.</param>
    /// <param name="wanted">The jobs to run, names that <see cref="Fault"/> finds nothing wrong with; none: all.</param>
    /// <param name="cancellationToken">Stops the running job's process and the server.</param>
    public static async Task RunAsync(IReadOnlyList<int> sizes, IReadOnlyList<string> wanted, CancellationToken cancellationToken)
    {
        var bench = new ScaleBenchmark(wanted);
        foreach (var size in sizes)
        {
            await bench.RunSizeAsync(size, cancellationToken);
        }

        bench.Show(sizes);
    }

    private async Task RunSizeAsync(int leads, CancellationToken cancellationToken)
    {
        await using var bench = await Bench.StartAsync(cancellationToken);
        await using var sinks = DemoSinks.Start(TimeProvider.System);
        foreach (var (variable, value) in sinks.Environment)
        {
            bench.Set(variable, value);
        }

        var folder = Directory.CreateTempSubdirectory("sales-tasks-scale-");
        try
        {
            await LoadAsync(bench, leads, cancellationToken);
            await using (var reps = bench.Open())
            await using (var connection = await reps.OpenAsync(cancellationToken))
            {
                (await connection.QueryStatementAsync("demo/reps", [], row => row.GetString(0), cancellationToken)).ForEach(sinks.AddOwner);
            }

            var file = Path.Combine(folder.FullName, "leads.csv");
            foreach (var job in Wanted(s_jobs, leads))
            {
                await MeasureAsync(bench, job, leads, "first", file, s_present, cancellationToken);
                if (!job.Once)
                {
                    await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
                    await MeasureAsync(bench, job, leads, "unchanged", file, s_present, cancellationToken);
                }
            }

            await ChangeAsync(bench, leads, cancellationToken);
            foreach (var job in Wanted(s_jobs, leads).Where(job => !job.Once))
            {
                await MeasureAsync(bench, job, leads, "1 % changed", file, s_present.AddHours(1), cancellationToken);
            }

            foreach (var import in Wanted([s_import], leads))
            {
                WriteLeads(file, leads, renamed: 0);
                await MeasureAsync(bench, import, leads, "first", file, s_present.AddHours(1), cancellationToken);
                await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
                await MeasureAsync(bench, import, leads, "unchanged", file, s_present.AddHours(1), cancellationToken);
                WriteLeads(file, leads, renamed: leads / 100);
                await MeasureAsync(bench, import, leads, "1 % changed", file, s_present.AddHours(1), cancellationToken);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private IEnumerable<ScaleJob> Wanted(IEnumerable<ScaleJob> jobs, int leads) =>
        jobs.Where(job => leads <= job.MostLeads && (_wanted.Count == 0 || _wanted.Contains(job.Command, StringComparer.Ordinal)));

    private static async Task LoadAsync(Bench bench, int leads, CancellationToken cancellationToken)
    {
        Console.WriteLine($"\nscale, {leads:N0} leads with the sample's deals, tasks, events and reps");
        await using (var database = bench.Open(s_present))
        {
            await new SampleLoader(database, new SampleGenerator(new SampleOptions(s_present) { Leads = leads })).LoadAsync(null, cancellationToken);
        }

        // No cap a run, and every hour is one to send in: each job meets as much work as the leads are.
        await bench.ExecuteAsync("UPDATE sales_campaigns SET max_leads_per_run = 0", cancellationToken);
        await using (var database = bench.Open(s_present))
        {
            await database.ExecuteAsync("demo/open_window", [], cancellationToken);
        }

        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        await bench.ExecuteAsync("CHECKPOINT", cancellationToken);
    }

    /// <summary>1 % of the leads replied, as many have a new phone number, and as many open tasks are done.</summary>
    private static async Task ChangeAsync(Bench bench, int leads, CancellationToken cancellationToken)
    {
        var at = s_present.AddMinutes(30).ToString("O");
        await bench.ExecuteAsync(
            $"""
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at, source, source_event_id)
            SELECT ext_id, 'reply', '{at}', 'bench', 'scale-' || lead_id FROM leads WHERE lead_id % 100 = 7;
            UPDATE leads SET phone = '+1 202 555 0199' WHERE lead_id % 100 = 8;
            UPDATE sales_followup_tasks SET status = 'completed', completed_at = '{at}', metadata = '{"{\"outcome\": \"answered\"}"}'
            WHERE id IN (SELECT id FROM sales_followup_tasks WHERE status IN ('pending', 'in_progress') ORDER BY id LIMIT {leads / 100});
            """,
            cancellationToken);
        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        await bench.ExecuteAsync("CHECKPOINT", cancellationToken);
    }

    /// <summary>New leads, the first of them with another name.</summary>
    private static void WriteLeads(string path, int leads, int renamed)
    {
        using var file = new StreamWriter(path);
        file.WriteLine("ext_id,source,first_name,last_name,email,phone,created_at");
        for (var i = 0; i < leads; i++)
        {
            var name = i < renamed ? "Eva" : "Ana";
            file.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"import-{i},organic,{name},Gil,new{i}@import{i % 1000}.example,+1202{i:0000000},2026-01-01T00:00:00Z"));
        }
    }

    private async Task MeasureAsync(
        Bench bench, ScaleJob job, int leads, string what, string file, DateTimeOffset asOf, CancellationToken cancellationToken)
    {
        List<string> arguments = [.. job.Command.Split(' ')];
        if (!job.Person)
        {
            arguments.AddRange(["--as-of", asOf.ToString("O")]);
        }

        if (job.Command is "leads import")
        {
            arguments.AddRange(["--path", file]);
        }

        var peak = 0L;
        var server = await bench.ServerCpuAsync(cancellationToken);
        var measured = await bench.MeasureAsync(
            async () => peak = await bench.RunProgramAsync(job.Person, [.. arguments], cancellationToken), cancellationToken);
        var run = new ScaleRun(job.Command, what, leads, measured.Seconds, bench.ProgramCpu.TotalSeconds + await bench.ServerCpuAsync(cancellationToken) - server, peak);
        _runs.Add(run);
        Console.WriteLine(
            $"  {run.Job,-22} {run.What,-12} {run.Seconds,8:0.0} s, CPU {run.Cpu,8:0.0} s ({bench.ProgramCpu.TotalSeconds,6:0.0} of them the program's), {run.Memory / 1e6,5:0} MB, {measured.WalBytes / 1e6,8:0.0} MB WAL  {Counts(bench.Output)}");
    }

    /// <summary>What the job says it did: counts other than 0.</summary>
    private static string Counts(string output)
    {
        var line = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "";
        if (!line.StartsWith("{\"", StringComparison.Ordinal))
        {
            return "";
        }

        using var result = JsonDocument.Parse(line);
        return result.RootElement.TryGetProperty("counts", out var counts)
            ? string.Join(", ", counts.EnumerateObject().Where(c => c.Value.GetInt64() != 0).Select(c => $"{c.Name} {c.Value.GetInt64():N0}"))
            : "";
    }

    /// <summary>
    /// One row a job and kind of run: seconds of each size, then processor time a lead and memory of each further size as multiples of the
    /// smallest's. A run with nothing changed is compared as a whole: it should not grow at all.
    /// </summary>
    private void Show(IReadOnlyList<int> sizes)
    {
        Console.WriteLine();
        string[] columns =
        [
            "job", "run", .. Columns("s at {0:N0}", sizes), .. Columns("CPU a lead at {0:N0}", sizes.Skip(1)), .. Columns("memory at {0:N0}", sizes.Skip(1)),
        ];
        Console.WriteLine($"| {string.Join(" | ", columns)} |");
        Console.WriteLine("|" + string.Concat(Enumerable.Repeat("---|", columns.Length)));
        foreach (var rows in _runs.GroupBy(run => (run.Job, run.What)))
        {
            var bySize = rows.ToDictionary(run => run.Leads);
            var smallest = bySize[sizes[0]];
            var cells = new List<string> { rows.Key.Job, rows.Key.What };
            cells.AddRange(sizes.Select(size => Cell(size, run => $"{run.Seconds:0.0}")));
            cells.AddRange(sizes.Skip(1).Select(size => Cell(size, run => $"{run.Cpu / run.Leads / (smallest.Cpu / smallest.Leads):0.00}×")));
            cells.AddRange(sizes.Skip(1).Select(size => Cell(size, run => $"{(double)run.Memory / smallest.Memory:0.0}×")));
            Console.WriteLine("| " + string.Join(" | ", cells) + " |");

            string Cell(int size, Func<ScaleRun, string> text) => bySize.TryGetValue(size, out var run) ? text(run) : "";
        }
    }

    private static IEnumerable<string> Columns(string format, IEnumerable<int> sizes) =>
        sizes.Select(size => string.Format(CultureInfo.InvariantCulture, format, size));

    private static DateTimeOffset LastFullHour(DateTimeOffset now) => new(now.Ticks - (now.Ticks % TimeSpan.TicksPerHour), TimeSpan.Zero);

    /// <param name="Command">The words after the program's name.</param>
    /// <param name="Once">It does the same whenever it runs.</param>
    /// <param name="Person">A command for people: no parameters, and it may end with what it found.</param>
    /// <param name="MostLeads">Not run at larger sizes.</param>
    private sealed record ScaleJob(string Command, bool Once = false, bool Person = false, int MostLeads = int.MaxValue);

    /// <param name="Job">Its command.</param>
    /// <param name="What">The kind of run.</param>
    /// <param name="Leads">The size.</param>
    /// <param name="Seconds">Wall time, the program's start included.</param>
    /// <param name="Cpu">Processor seconds of program and server.</param>
    /// <param name="Memory">Peak bytes of the program.</param>
    private sealed record ScaleRun(string Job, string What, int Leads, double Seconds, double Cpu, long Memory);
}
