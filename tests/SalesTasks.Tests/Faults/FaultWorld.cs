using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Demo;
using SalesTasks.Tests.Faults;

[assembly: AssemblyFixture(typeof(FaultWorld))]

namespace SalesTasks.Tests.Faults;

/// <summary>A job as a DAG runs it.</summary>
/// <param name="Dag">The DAG.</param>
/// <param name="Job">Its step.</param>
internal sealed record Scene(DagDefinition Dag, JobDefinition Job)
{
    /// <summary>Every job there is, each way it is run once, in the order in which the DAGs run it.</summary>
    public static IReadOnlyList<Scene> All { get; } =
        [.. Commands.Dags.SelectMany(dag => dag.Steps, (dag, job) => new Scene(dag, job)).DistinctBy(scene => scene.Name)];

    public string Name => string.Join(' ', Dag.Arguments(Job));

    /// <summary>The step before this one in the CRM's DAG, which fills the CRM that this one reads.</summary>
    public Scene? Prelude => Name == "crm pull" ? All.Single(scene => scene.Name == "crm push") : null;

    public static Scene Of(string name) => All.Single(scene => scene.Name == name);

    public override string ToString() => Name;
}

/// <summary>
/// A server of its own, and on it a small company: the sample, on which all jobs have run one after the other. Its databases as they were
/// before each job are kept as templates; a trial works on a copy.
/// </summary>
public sealed class FaultWorld : IAsyncLifetime
{
    /// <summary>A Wednesday at noon: every window is open.</summary>
    internal static readonly DateTimeOffset Present = new(2026, 3, 18, 12, 0, 0, TimeSpan.Zero);

    private readonly Dictionary<string, string> _templates = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _broken = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Task<Reference>> _references = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _turn = new(1);
    private readonly string _folder = Directory.CreateTempSubdirectory("sales-tasks-faults-").FullName;
    private LocalPostgres? _server;
    private NpgsqlDataSource? _administration;
    private int _databases;
    private int _folders;

    internal NpgsqlConnectionStringBuilder Server => _server!.Connection;

    internal LocalPostgres Postgres => _server!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Nothing is started before a test asks for it.</summary>
    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_administration is not null)
        {
            await _administration.DisposeAsync();
        }

        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
        _turn.Dispose();
    }

    /// <summary>A copy of the world as it was before a job.</summary>
    /// <param name="scene">The job.</param>
    /// <param name="tablespace">Where its files lie; null: with the others.</param>
    internal async Task<NpgsqlConnectionStringBuilder> CopyAsync(Scene scene, string? tablespace = null)
    {
        await StartedAsync();
        Assert.False(_broken.TryGetValue(scene.Name, out var why), why);
        var name = $"trial_{Interlocked.Increment(ref _databases)}";
        await CopyAsync(name, _templates[scene.Name], tablespace);
        return new NpgsqlConnectionStringBuilder(Server.ConnectionString) { Database = name };
    }

    internal Task DropAsync(string database) => AdministerAsync($"DROP DATABASE {database} WITH (FORCE)");

    /// <summary>What a run without a fault does; found once.</summary>
    internal Task<Reference> ReferenceAsync(Scene scene) => _references.GetOrAdd(scene.Name, _ => Reference.FindAsync(this, scene));

    /// <summary>A folder that is gone with the world.</summary>
    internal string NewFolder() => Directory.CreateDirectory($"{_folder}/{Interlocked.Increment(ref _folders)}").FullName;

    internal async Task StartedAsync()
    {
        await _turn.WaitAsync(Token);
        try
        {
            if (_server is null)
            {
                await StartAsync();
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task StartAsync()
    {
        _server = await LocalPostgres.StartAsync(new LocalPostgresOptions
        {
            Durable = false,
            Database = "world",
            // A commit that was answered survives the crash of the server, though not of the machine.
            Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["synchronous_commit"] = "on" },
        }, Token);
        _administration = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(Server.ConnectionString) { Database = "postgres", Pooling = false });
        await PopulateAsync(Server);
        await using var place = new Place(Server, NewFolder(), idempotent: true);
        foreach (var scene in Scene.All)
        {
            // A prelude runs anew in each trial: what it leaves outside the database is not in a template.
            var template = $"before_{_templates.Count}";
            if (scene.Prelude is { } prelude)
            {
                template = _templates[prelude.Name];
            }
            else
            {
                await CopyAsync(template, "world", tablespace: null);
            }

            _templates.Add(scene.Name, template);
            var answer = await place.RunAsync(scene);
            if (answer.ExitCode is not ExitCode.Done)
            {
                _broken.Add(
                    scene.Name,
                    $"{scene} fails without any fault. Where it needs parameters or a world to work on, give it both in {nameof(Place)} and {nameof(FaultWorld)}. {answer}");
            }
        }
    }

    private static async Task PopulateAsync(NpgsqlConnectionStringBuilder connection)
    {
        await using var database = new SalesDatabase(connection, new SalesDatabaseOptions { AsOf = Present }, TimeProvider.System);
        await new Migrator(database, TimeProvider.System).MigrateAsync(Token);
        await new SampleLoader(database, new SampleGenerator(new SampleOptions(Present) { Leads = SampleOptions.FewestLeads }))
            .LoadAsync(progress: null, Token);
        await database.ExecuteAsync("demo/open_window", [], Token);
        // Deals that nobody looks after: work for the alerts, the routing and the follow-up.
        var then = new NpgsqlConnectionStringBuilder(connection.ConnectionString) { Options = $"-c salestasks.as_of={Present:O}", Pooling = false };
        await Digest.QueryAsync(
            then,
            """
            UPDATE sales_pipeline SET estimated_value = 20000 + id, last_contact_at = sales_now() - interval '20 days'
            WHERE stage NOT IN ('closed_won', 'closed_lost') AND id % 2 = 0 RETURNING lead_ext_id, ''
            """);
        // No caps: which of two messages to a lead goes first, and which waits, would be chance.
        await Digest.QueryAsync(then, "UPDATE sending_policy SET max_per_lead_per_day = 0, max_per_lead_per_week = 0 RETURNING '', ''");
    }

    private async Task CopyAsync(string name, string template, string? tablespace)
    {
        // Sessions of ours in the template are at their end.
        await AdministerAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{template}'");
        for (var tries = 1; ; tries++)
        {
            try
            {
                await AdministerAsync($"CREATE DATABASE {name} TEMPLATE {template}" + (tablespace is null ? "" : $" TABLESPACE {tablespace}"));
                return;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ObjectInUse && tries < 100)
            {
                // The template is being copied by somebody else, or its last session is not gone yet.
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
            }
        }
    }

    [SuppressMessage("Security", "CA2100", Justification = "Names are made here; DDL takes no parameters.")]
    internal async Task AdministerAsync(string sql)
    {
        await using var command = _administration!.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Token);
    }
}
