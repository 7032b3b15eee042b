using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Npgsql;

namespace SalesTasks.Database;

/// <summary>What a private server is for.</summary>
internal sealed record LocalPostgresOptions
{
    /// <summary>
    /// True: commits survive a power cut, as in production (demo, benchmarks). False: nothing is flushed, for tests that throw the
    /// server away.
    /// </summary>
    public bool Durable { get; init; } = true;

    /// <summary>The database to create.</summary>
    public string Database { get; init; } = "sales";

    /// <summary>Further server settings by name, over our own.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}

/// <summary>How a server is stopped; see pg_ctl.</summary>
internal enum StopMode
{
    /// <summary>Sessions are cut, data is written: a clean stop.</summary>
    Fast,

    /// <summary>As a crash: the next start recovers.</summary>
    Immediate,
}

/// <summary>
/// A private PostgreSQL in a temporary folder, on a free port of the loopback interface with a random password. As root it runs through
/// <c>runuser</c> as an unprivileged user, because PostgreSQL refuses to run as root.
/// </summary>
internal sealed class LocalPostgres : IAsyncDisposable
{
    private const int StartTries = 3;
    private const string Superuser = "sales";

    /// <summary>Bytes: several times what the tests' servers take together.</summary>
    private const long PlentyOfMemory = 8L << 30;

    private readonly PostgresBinaries _binaries;
    private readonly Account _account;
    private readonly string _data;
    private bool _kept;
    private Process? _guard;

    private LocalPostgres(PostgresBinaries binaries, Account account, string folder, string password, LocalPostgresOptions options)
    {
        _binaries = binaries;
        _account = account;
        Folder = folder;
        _data = $"{folder}/data";
        Connection = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Username = Superuser,
            Password = password,
            Database = options.Database,
        };
    }

    /// <summary>The server's version.</summary>
    public Version Version => _binaries.Version;

    /// <summary>Where the data, the log and nothing else lie.</summary>
    public string Folder { get; }

    /// <summary>How to reach it, as superuser; a new copy each time.</summary>
    public NpgsqlConnectionStringBuilder Connection
    {
        get => new(field.ConnectionString);
        private set;
    }

    /// <summary>What a person types to stop the server and remove its files.</summary>
    public string StopCommand => _account.Describe($"{_binaries.Folder}/pg_ctl stop -D {_data} -m fast && rm -rf {Folder}");

    /// <summary>Creates and starts a server; about a second.</summary>
    /// <exception cref="JobException">69: no server program here, and the one command that installs it; or it does not start.</exception>
    public static async Task<LocalPostgres> StartAsync(LocalPostgresOptions options, CancellationToken cancellationToken)
    {
        var binaries = await PostgresBinaries.FindAsync(cancellationToken);
        var account = await Account.CurrentAsync(cancellationToken);
        var password = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var parent = Parent(account, options);
        var folder = (await account.RunAsync("mktemp", ["-d", $"{parent}/sales-tasks-postgres-XXXXXX"], null, cancellationToken)).Trim();

        var server = new LocalPostgres(binaries, account, folder, password, options);
        try
        {
            server.Guard();
            await server.CreateAsync(options, password, cancellationToken);
            await server.StartOnFreePortAsync(cancellationToken);
            await server.CreateDatabaseAsync(options.Database, cancellationToken);
            return server;
        }
        catch
        {
            await server.RemoveAsync();
            throw;
        }
    }

    /// <summary>
    /// What is thrown away lies in memory where there is plenty: a database copied for a test, some 2,000 small files, takes an eighth of the
    /// time there.
    /// </summary>
    private static string Parent(Account account, LocalPostgresOptions options)
    {
        const string memory = "/dev/shm";
        return !options.Durable && Directory.Exists(memory) && new DriveInfo(memory).AvailableFreeSpace >= PlentyOfMemory ? memory
            // Root's own TMPDIR may be closed to the other user.
            : account.IsOther ? "/tmp" : Path.GetTempPath().TrimEnd('/');
    }

    /// <summary>Stops the server; <see cref="StartAgainAsync"/> brings it back on the same port.</summary>
    public Task StopAsync(StopMode mode, CancellationToken cancellationToken) =>
        ControlAsync(["stop", "-m", mode == StopMode.Fast ? "fast" : "immediate"], cancellationToken);

    /// <summary>Starts a stopped server and returns when it accepts connections.</summary>
    public Task StartAgainAsync(CancellationToken cancellationToken) =>
        ControlAsync(["start", "-l", $"{Folder}/server.log"], cancellationToken);

    /// <summary>
    /// From here on the server stays when this process ends; <see cref="StopCommand"/> ends it. Until here it ends, and its files go, with
    /// this process, however that ends.
    /// </summary>
    public async Task KeepAsync()
    {
        _kept = true;
        if (_guard is not { } guard)
        {
            return;
        }

        await guard.StandardInput.WriteLineAsync("keep");
        guard.StandardInput.Close();
        await guard.WaitForExitAsync(CancellationToken.None);
        guard.Dispose();
        _guard = null;
    }

    /// <summary>Stops and removes the server, unless it is kept.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_kept)
        {
            await RemoveAsync();
        }
    }

    private async Task CreateAsync(LocalPostgresOptions options, string password, CancellationToken cancellationToken)
    {
        await _account.RunAsync("/bin/sh", ["-c", "umask 077; cat > \"$0\"", $"{Folder}/password"], password, cancellationToken);
        List<string> arguments =
        [
            "-D", _data, "-U", Superuser, $"--pwfile={Folder}/password", "--auth=scram-sha-256", "--encoding=UTF8",
            OperatingSystem.IsLinux() ? "--locale=C.UTF-8" : "--locale=C",
        ];
        if (!options.Durable)
        {
            arguments.Add("--no-sync");
        }

        await _account.RunAsync($"{_binaries.Folder}/initdb", arguments, null, cancellationToken);
        await _account.RunAsync("rm", [$"{Folder}/password"], null, cancellationToken);

        var settings = new Dictionary<string, string>
        {
            ["listen_addresses"] = "127.0.0.1",
            ["unix_socket_directories"] = "",
            ["max_connections"] = "200",
            ["cluster_name"] = "sales-tasks",
            ["shared_buffers"] = "256MB",
            ["max_wal_size"] = "2GB",
        };
        if (!options.Durable)
        {
            settings["fsync"] = "off";
            settings["synchronous_commit"] = "off";
            settings["full_page_writes"] = "off";
            settings["wal_level"] = "minimal";
            settings["max_wal_senders"] = "0";
        }

        foreach (var (name, value) in options.Settings)
        {
            settings[name] = value;
        }

        var lines = settings.Select(setting => $"{setting.Key} = '{setting.Value.Replace("'", "''", StringComparison.Ordinal)}'");
        await _account.RunAsync(
            "/bin/sh", ["-c", "cat >> \"$0\"", $"{_data}/postgresql.conf"], string.Join('\n', lines) + "\n", cancellationToken);
    }

    /// <summary>
    /// A shell that waits for the end of a pipe we hold: when this process ends, by whatever signal, the kernel closes the pipe, and the
    /// shell stops the server and removes the folder. Ctrl-C on the terminal does not reach it.
    /// </summary>
    private void Guard() => _guard = _account.StartGuard(
    [
        "-c",
        """
        trap '' INT TERM HUP QUIT
        read -r word
        [ "$word" = keep ] && exit
        "$0" stop -D "$1/data" -m immediate > /dev/null 2>&1
        # An initdb that was under way puts files back once.
        rm -rf "$1" 2> /dev/null || { sleep 1; rm -rf "$1"; }
        """,
        $"{_binaries.Folder}/pg_ctl",
        Folder,
    ]);

    private async Task StartOnFreePortAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            // Free now; another process may take it first, hence the second and third try.
            var port = FreePort();
            await _account.RunAsync(
                "/bin/sh", ["-c", "cat > \"$0\"", $"{_data}/postgresql.auto.conf"], $"port = {port}\n", cancellationToken);
            try
            {
                await StartAgainAsync(cancellationToken);
                Connection = new NpgsqlConnectionStringBuilder(Connection.ConnectionString) { Port = port };
                return;
            }
            catch (JobException) when (attempt < StartTries)
            {
                continue;
            }
        }
    }

    private async Task ControlAsync(IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        try
        {
            await _account.RunAsync($"{_binaries.Folder}/pg_ctl", [.. arguments, "-w", "-s", "-D", _data], null, cancellationToken);
        }
        catch (JobException failure)
        {
            var log = await _account.RunAsync("/bin/sh", ["-c", "tail -n 5 \"$0\" 2>&1", $"{Folder}/server.log"], null, cancellationToken);
            throw JobException.Refused($"{failure.Message} The server's log ends: {log.Trim()}", failure);
        }
    }

    private async Task CreateDatabaseAsync(string database, CancellationToken cancellationToken)
    {
        // createdb asks for no quoting of ours; PGPASSWORD stays out of the argument list.
        var connection = Connection;
        await _account.RunAsync(
            "/bin/sh",
            ["-c", "PGPASSWORD=$(cat) exec \"$0\" -h 127.0.0.1 -p \"$1\" -U \"$2\" --maintenance-db=postgres \"$3\"", $"{_binaries.Folder}/createdb",
                connection.Port.ToString(CultureInfo.InvariantCulture), Superuser, database],
            connection.Password,
            cancellationToken);
    }

    private async Task RemoveAsync()
    {
        if (_guard is null)
        {
            Guard();
        }

        using var guard = _guard!;
        _guard = null;
        guard.StandardInput.Close();
        await guard.WaitForExitAsync(CancellationToken.None);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The user the server runs as: ourselves, or for root an unprivileged one.</summary>
    private sealed record Account(string? User)
    {
        public bool IsOther => User is not null;

        public static async Task<Account> CurrentAsync(CancellationToken cancellationToken)
        {
            if (!Environment.IsPrivilegedProcess)
            {
                return new Account((string?)null);
            }

            foreach (var user in (string[])["postgres", "nobody"])
            {
                if ((await ChildProcess.RunAsync("id", ["-u", user], null, cancellationToken)).ExitCode == 0)
                {
                    return new Account(user);
                }
            }

            throw JobException.Refused("PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as.");
        }

        public string Describe(string command) => User is null ? command : $"runuser -u {User} -- sh -c '{command}'";

        /// <summary>Starts a shell with a session of its own, because runuser passes the terminal's Ctrl-C on as a kill.</summary>
        public Process StartGuard(IEnumerable<string> arguments)
        {
            var (file, actual) = As("/bin/sh", arguments);
            return OperatingSystem.IsLinux() ? ChildProcess.Start("setsid", [file, .. actual]) : ChildProcess.Start(file, actual);
        }

        /// <summary>Runs a program to its end and returns what it printed; its failure is ours.</summary>
        public async Task<string> RunAsync(string file, IEnumerable<string> arguments, string? input, CancellationToken cancellationToken)
        {
            var (actualFile, actualArguments) = As(file, arguments);
            var result = await ChildProcess.RunAsync(actualFile, actualArguments, input, cancellationToken);
            return result.ExitCode == 0
                ? result.Output
                : throw JobException.Refused(
                    $"{file} failed with exit code {result.ExitCode}: {(result.Errors.Length > 0 ? result.Errors : result.Output).Trim()}");
        }

        private (string File, IEnumerable<string> Arguments) As(string file, IEnumerable<string> arguments) =>
            User is null ? (file, arguments) : ("runuser", ["-u", User, "--", file, .. arguments]);
    }
}
