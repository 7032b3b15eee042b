using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Demo.Crm;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Faults;

/// <summary>What a run answered.</summary>
internal sealed record Answer(ExitCode ExitCode, string Output, string Errors)
{
    /// <summary>What it did: its counts that are not zero.</summary>
    public string Counts
    {
        get
        {
            if (!Output.StartsWith('{'))
            {
                return "";
            }

            var line = TestBase.Json.Parse(Output.Trim());
            return line.TryGetProperty("counts", out var counts)
                ? string.Join(", ", counts.EnumerateObject().Where(c => c.Value.GetInt64() != 0).Select(c => $"{c.Name} {c.Value}"))
                : "";
        }
    }

    public override string ToString() => $"{(int)ExitCode} ({ExitCode})\n{Output}\n{Errors}";
}

/// <summary>Everything around one database: receivers that count, a CRM, a folder, and the program between them.</summary>
internal sealed class Place : IAsyncDisposable
{
    /// <summary>A limit on hanging, not a measure.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>No exit code of the program: it did not end.</summary>
    private const ExitCode Hung = (ExitCode)(-1);

    private static readonly (string Id, string Variable)[] s_channels =
    [
        ("EMAIL", ConnectionIds.EmailVariable), ("SLACK", ConnectionIds.SlackVariable), ("CALLS", ConnectionIds.CallsVariable),
        ("TASKS", ConnectionIds.TasksVariable),
    ];

    private readonly ConcurrentDictionary<string, int> _received = new(StringComparer.Ordinal);
    private readonly HttpSink _sink;
    private readonly NpgsqlConnectionStringBuilder _database;
    private readonly string _folder;
    private readonly string _extra;

    /// <param name="database">Where the program works.</param>
    /// <param name="folder">Where it reads and writes files; its own.</param>
    /// <param name="idempotent">Whether the receivers are declared to know repeats by their key.</param>
    public Place(NpgsqlConnectionStringBuilder database, string folder, bool idempotent)
    {
        Idempotent = idempotent;
        _extra = idempotent ? "\"rate_per_second\": 1000, \"idempotent\": true" : "\"rate_per_second\": 1000";
        _database = database;
        _folder = folder;
        _sink = new HttpSink(
            request =>
            {
                _received.AddOrUpdate(request.Headers.GetValueOrDefault("Idempotency-Key", ""), 1, static (_, times) => times + 1);
                return new SinkAnswer();
            },
            keep: false);
        HubSpot = new HubSpotFake(TimeProvider.System) { BurstCalls = 100_000, RetryAfter = 0 };
        HubSpot.Owners["1"] = "rep@sales.example";
        WriteLeads($"{folder}/leads.csv");
    }

    public HubSpotFake HubSpot { get; }

    /// <summary>Whether a repeat does no harm.</summary>
    public bool Idempotent { get; }

    /// <summary>How often each message arrived, by its key.</summary>
    public IReadOnlyDictionary<string, int> Received => _received;

    /// <summary>The clock of the runs.</summary>
    public TimeProvider Time { get; set; } = new HastyTime();

    /// <summary>The instant they work at; null: the present.</summary>
    public DateTimeOffset? AsOf { get; set; } = FaultWorld.Present;

    public async ValueTask DisposeAsync()
    {
        await _sink.DisposeAsync();
        await HubSpot.DisposeAsync();
    }

    /// <summary>Runs a job inside the test.</summary>
    /// <param name="scene">Which one.</param>
    /// <param name="port">Of the proxy; null: straight to the server.</param>
    /// <param name="flags">Further flags.</param>
    public async Task<Answer> RunAsync(Scene scene, int? port = null, params string[] flags)
    {
        var environment = Environment(scene, port);
        await using var output = new StringWriter();
        await using var errors = new StringWriter();
        var host = new CommandHost { Environment = environment.GetValueOrDefault, Time = Time, Out = output, Error = errors };
        var run = Commands.Tree(host).RunAsync([.. scene.Dag.Arguments(scene.Job), .. flags]);
        try
        {
            return new Answer(await run.WaitAsync(Patience, TimeProvider.System), output.ToString(), errors.ToString());
        }
        catch (TimeoutException)
        {
            return new Answer(Hung, output.ToString(), errors.ToString());
        }
    }

    /// <summary>Starts the real executable.</summary>
    public RunningProgram Start(Scene scene, int? port = null) => Environment(scene, port)
        .Aggregate(ProgramRunner.Bare, (program, variable) => program.With(variable.Key, variable.Value)).Start([.. scene.Dag.Arguments(scene.Job)]);

    private Dictionary<string, string> Environment(Scene scene, int? port)
    {
        var parameters = new JsonObject();
        void Set(string name, JsonNode value)
        {
            if (scene.Job.Parameters.Find(name) is not null)
            {
                parameters[name] = value;
            }
        }

        if (AsOf is { } instant)
        {
            Set("as_of", instant.ToString("O"));
        }

        Set("output", _folder);
        Set("path", $"{_folder}/leads.csv");
        Set("backup_folder", $"{_folder}/backups");
        Set("slack", true);
        Set("email_recipients", "manager@sales.example");
        // For messages that a broken connection's session still holds; less than a lease.
        Set("max_wait_seconds", 20);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["AIRFLOW_CONN_SALES_POSTGRES"] = string.Create(
                CultureInfo.InvariantCulture,
                $"postgres://{_database.Username}:{_database.Password}@{_database.Host}:{port ?? _database.Port}/{_database.Database}"),
            ["SALES_DAG_ID"] = scene.Dag.Id,
            ["SALES_TASK_ID"] = scene.Name.Replace(' ', '_'),
            ["SALES_RUN_ID"] = "scheduled__2026-03-18T12:00:00+00:00",
            ["SALES_PARAMS"] = parameters.ToJsonString(),
            [ConnectionIds.CrmVariable] = "trial_crm",
            ["AIRFLOW_CONN_TRIAL_CRM"] = JsonSerializer.Serialize(new
            {
                conn_type = "http",
                host = $"http://127.0.0.1:{HubSpot.Port}",
                password = HubSpot.Token,
                extra = new { allow_http = true, burst_limit = "10000/1" },
            }),
        };
        foreach (var (id, variable) in s_channels)
        {
            environment[variable] = $"trial_{id.ToLowerInvariant()}";
            environment[$"AIRFLOW_CONN_TRIAL_{id}"] = id is "SLACK"
                ? $$"""{"conn_type": "slackwebhook", "host": "{{_sink.Address}}", "password": "x", "extra": {"allow_http": true, {{_extra}} } }"""
                : _sink.Connection(_extra);
        }

        return environment;
    }

    private static void WriteLeads(string path)
    {
        var text = new StringBuilder("ext_id,source,first_name,last_name,email,phone,utm_source,created_at\n");
        for (var i = 1; i <= 300; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"import-{i},web,Ana{i},Gil,ana{i}@firma{i}.example,+34 600 {i:000000},google,2026-03-17T10:00:00Z\n");
        }

        File.WriteAllText(path, text.Append("bad,web,,,not an address,,,yesterday\n").ToString());
    }

    /// <summary>The time of the wall, with pauses that are in a hurry, and stopwatches that run fast: nobody waits long for a server that is gone.</summary>
    private sealed class HastyTime : TimeProvider
    {
        /// <summary>Longer timers are limits on how long others may take, a receiver above all: on a busy machine they need that time.</summary>
        private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(20);

        public override long TimestampFrequency => base.TimestampFrequency / 5;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, Hurried(dueTime), Hurried(period));

        private static TimeSpan Hurried(TimeSpan time) => time > TimeSpan.Zero && time < s_longestPause ? time / 50 : time;
    }
}
