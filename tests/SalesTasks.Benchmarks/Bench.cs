using System.Diagnostics;
using System.Globalization;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Benchmarks;

/// <summary>A private, durable server as the measured figures need it: fsync on, the settings of a small production machine.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private readonly LocalPostgres _server;
    private readonly NpgsqlDataSource _source;
    private readonly Dictionary<string, string> _variables = new(StringComparer.Ordinal);

    private Bench(LocalPostgres server)
    {
        _server = server;
        _source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.Connection.ConnectionString) { CommandTimeout = 0 });
    }

    public static async Task<Bench> StartAsync(CancellationToken cancellationToken)
    {
        var server = await LocalPostgres.StartAsync(
            new LocalPostgresOptions
            {
                Durable = true,
                Settings = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["shared_buffers"] = "1GB",
                    ["max_wal_size"] = "8GB",
                    ["checkpoint_timeout"] = "30min",
                    ["wal_compression"] = "lz4",
                    // Vacuum is run between the rounds, for both sides, and not at random in one of them.
                    ["autovacuum"] = "off",
                    ["jit"] = "off",
                },
            },
            cancellationToken);
        var bench = new Bench(server);
        await using var database = bench.Open();
        await new Migrator(database, TimeProvider.System).MigrateAsync(cancellationToken);
        return bench;
    }

    /// <summary>Processor time of the last run of the program, its last 50 ms left out: what it would take on a machine of its own.</summary>
    public TimeSpan ProgramCpu { get; private set; }

    /// <summary>What the last run of the program printed to stdout.</summary>
    public string Output { get; private set; } = "";

    private string AirflowUri => string.Create(
        CultureInfo.InvariantCulture,
        $"postgres://{Uri.EscapeDataString(_server.Connection.Username!)}:{Uri.EscapeDataString(_server.Connection.Password ?? "")}@{Uri.EscapeDataString(_server.Connection.Host!)}:{_server.Connection.Port}/{_server.Connection.Database}");

    /// <summary>Runs a command of the program within this process.</summary>
    /// <exception cref="InvalidOperationException">It did not end with 0.</exception>
    public async Task RunInProcessAsync(params string[] arguments)
    {
        await using var errors = new StringWriter();
        var host = new CommandHost
        {
            Environment = name => name == "AIRFLOW_CONN_SALES_POSTGRES" ? AirflowUri : null,
            Time = TimeProvider.System,
            Out = TextWriter.Null,
            Error = errors,
        };
        var exitCode = await Commands.Tree(host).RunAsync(arguments);
        if (exitCode != ExitCode.Done)
        {
            throw new InvalidOperationException($"sales-tasks {string.Join(' ', arguments)} ended with {exitCode}: {errors}");
        }
    }

    public SalesDatabase Open(DateTimeOffset? asOf = null) => new(_server.Connection, new SalesDatabaseOptions { AsOf = asOf }, TimeProvider.System);

    public async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<T> ScalarAsync<T>(string sql, CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public Task<NpgsqlConnection> OpenConnectionAsync(CancellationToken cancellationToken) => _source.OpenConnectionAsync(cancellationToken).AsTask();

    /// <summary>Wall seconds and WAL bytes of one piece of work.</summary>
    public async Task<Measured> MeasureAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        var wal = await ScalarAsync<string>("SELECT pg_current_wal_insert_lsn()::text", cancellationToken);
        var started = TimeProvider.System.GetTimestamp();
        await work();
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var bytes = await ScalarAsync<decimal>($"SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '{wal}')", cancellationToken);
        return new Measured(seconds, (long)bytes);
    }

    /// <summary>
    /// Processor seconds that the server's sessions have taken since it started. Read when every session is gone, the bench's own too, because only
    /// what has ended is counted: a session of ours that the pool closes later would bring all it ever took into whatever is measured then.
    /// </summary>
    public async Task<double> ServerCpuAsync(CancellationToken cancellationToken)
    {
        var postmaster = (await File.ReadAllLinesAsync($"{_server.Folder}/data/postmaster.pid", cancellationToken))[0];
        _source.Clear();
        while (Sessions(postmaster).Any())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }

        // proc(5): fields 14 to 17 of stat, in ticks of 10 ms: the postmaster's own time and that of its children that have ended.
        var stat = (await File.ReadAllTextAsync($"/proc/{postmaster}/stat", cancellationToken)).Split(") ")[1].Split(' ');
        return stat[11..15].Sum(ticks => long.Parse(ticks, CultureInfo.InvariantCulture)) / 100.0;
    }

    /// <summary>Children of the postmaster that serve a client or did, parallel workers included: what has ended has no command line any more.</summary>
    private static IEnumerable<string> Sessions(string postmaster)
    {
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
        {
            string line;
            try
            {
                if (File.ReadAllText($"{process}/stat").Split(") ")[^1].Split(' ')[1] != postmaster)
                {
                    continue;
                }

                line = File.ReadAllText($"{process}/cmdline");
            }
            catch (IOException)
            {
                // It is gone.
                continue;
            }

            if (line.Length == 0 || line.Contains("127.0.0.1", StringComparison.Ordinal) || line.Contains("parallel worker", StringComparison.Ordinal))
            {
                yield return process;
            }
        }
    }

    /// <summary>Gives the program an environment variable.</summary>
    public void Set(string variable, string value) => _variables[variable] = value;

    /// <summary>Gives the program a connection.</summary>
    /// <param name="variable">The variable that names it, such as SALES_EMAIL_CONN_ID.</param>
    /// <param name="id">Its id.</param>
    /// <param name="connection">What it is, as URI or JSON.</param>
    public void Connect(string variable, string id, string connection)
    {
        _variables[variable] = id;
        _variables["AIRFLOW_CONN_" + id.ToUpperInvariant()] = connection;
    }

    /// <summary>Runs the program itself, as Airflow would, and returns its peak memory in bytes.</summary>
    /// <exception cref="InvalidOperationException">It did not end with 0.</exception>
    public Task<long> RunProgramAsync(CancellationToken cancellationToken, params string[] arguments) =>
        RunProgramAsync(any: false, arguments, cancellationToken);

    /// <summary>Runs the program itself, as Airflow would, and returns its peak memory in bytes.</summary>
    /// <param name="any">Findings (exit codes 1 and 2) are no failure.</param>
    /// <param name="arguments">Of the program.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="InvalidOperationException">It did not end with 0.</exception>
    public async Task<long> RunProgramAsync(bool any, string[] arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "sales-tasks"), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["AIRFLOW_CONN_SALES_POSTGRES"] = AirflowUri;
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        foreach (var (name, value) in _variables)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        var peak = 0L;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        var exit = process.WaitForExitAsync(cancellationToken);
        while (!exit.IsCompleted)
        {
            process.Refresh();
            try
            {
                peak = Math.Max(peak, process.PeakWorkingSet64);
                ProgramCpu = process.TotalProcessorTime;
            }
            catch (InvalidOperationException) when (process.HasExited)
            {
                // It ended just now: what was read before is its peak.
            }

            await Task.WhenAny(exit, timer.WaitForNextTickAsync(cancellationToken).AsTask());
        }

        await exit;
        Output = await output;
        return process.ExitCode == 0 || (any && process.ExitCode is 1 or 2)
            ? peak
            : throw new InvalidOperationException($"sales-tasks {string.Join(' ', arguments)} ended with {process.ExitCode}: {Output}{await errors}");
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _server.DisposeAsync();
    }
}

/// <param name="Seconds">Wall time.</param>
/// <param name="WalBytes">Write-ahead log written meanwhile.</param>
internal sealed record Measured(double Seconds, long WalBytes);

internal static class Median
{
    public static double Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }
}
