using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Npgsql;
using SalesTasks.Database;
using SalesTasks.Tests.TestBase;
using SalesTasks.Validation;

namespace SalesTasks.Tests.Faults;

/// <summary>A copy of the world, a proxy before it and the places around it.</summary>
internal sealed class Trial : IAsyncDisposable
{
    private readonly FaultWorld _world;
    private long _lastRun;

    private Trial(FaultWorld world, NpgsqlConnectionStringBuilder database, bool idempotent)
    {
        _world = world;
        // Pooled connections would keep the database in use.
        Database = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false };
        Proxy = new PostgresProxy(database);
        Place = new Place(database, world.NewFolder(), idempotent);
    }

    public NpgsqlConnectionStringBuilder Database { get; }

    public PostgresProxy Proxy { get; }

    public Place Place { get; }

    public static async Task<Trial> PrepareAsync(FaultWorld world, Scene scene, bool idempotent, string? tablespace = null)
    {
        var trial = new Trial(world, await world.CopyAsync(scene, tablespace), idempotent);
        if (scene.Prelude is { } prelude)
        {
            var answer = await trial.Place.RunAsync(prelude);
            Assert.True(answer.ExitCode is ExitCode.Done, $"{prelude}: {answer}");
            trial.EditCrm();
        }

        trial._lastRun = long.Parse((await Digest.QueryAsync(trial.Database, "SELECT coalesce(max(id), 0)::text, '' FROM task_runs"))[0].Table, CultureInfo.InvariantCulture);

        return trial;
    }

    /// <summary>Runs the job through the proxy.</summary>
    public Task<Answer> RunAsync(Scene scene, params string[] flags) => Place.RunAsync(scene, Proxy.Port, flags);

    /// <summary>Runs a job with a fault, and tells whether it struck.</summary>
    public async Task<(Answer Answer, bool Struck)> RunAsync(Scene scene, Fault fault)
    {
        Proxy.Arm(fault);
        var answer = await RunAsync(scene);
        var struck = Proxy.Struck;
        Proxy.Arm(Fault.Nothing);
        return (answer, struck);
    }

    /// <summary>What is wrong with a run that was struck, or null: its exit code, its row in task_runs, what it says it has done.</summary>
    public async Task<string?> JudgeAsync(Reference reference, Answer answer, bool struck)
    {
        if (answer.ExitCode is not (ExitCode.Done or ExitCode.TemporaryFailure) || (answer.ExitCode is not ExitCode.Done && !struck))
        {
            return $"it ended with {answer}";
        }

        // A try that could not write its row, or its end, lies to nobody.
        var expected = answer.ExitCode is ExitCode.Done ? "succeeded 0" : "retry 75";
        var runs = await Digest.QueryAsync(
            Database, $"SELECT id::text, concat_ws(' ', status, exit_code) FROM task_runs WHERE id > {_lastRun} ORDER BY id");
        foreach (var (id, told) in runs)
        {
            _lastRun = long.Parse(id, CultureInfo.InvariantCulture);
            if (told != expected && told is not ("running" or "lost"))
            {
                return $"task_runs says '{told}' of a run that ended with {answer}";
            }
        }

        return answer.ExitCode is ExitCode.Done && await DifferenceAsync(reference) is { } lost ? $"it says it is done, but {lost}\n{answer}" : null;
    }

    /// <summary>What is wrong after everything: what validate finds, and what the next run does and leaves. Null: nothing.</summary>
    public async Task<string?> RecoverAsync(Scene scene, Reference reference)
    {
        await ExpireLeasesAsync();
        var findings = await FindingsAsync();
        if (findings.Count > 0)
        {
            return $"validate finds {string.Join('\n', findings)}";
        }

        var answer = await RunAsync(scene);
        return answer.ExitCode is not ExitCode.Done
            ? $"the next run ended with {answer}"
            : await DifferenceAsync(reference) is { } difference ? $"after the next run {difference}\n{answer}" : null;
    }

    /// <summary>Where the database or what was received differs from what a run without a fault leaves.</summary>
    public async Task<string?> DifferenceAsync(Reference reference)
    {
        var list = new List<string>();
        if (!Place.Idempotent)
        {
            list.AddRange(Place.Received.Where(message => message.Value > 1).Select(message => $"{message.Key} was received {message.Value} times"));
        }

        var doubts = (await Digest.QueryAsync(Database, "SELECT idempotency_key, '' FROM outbox_messages WHERE status = 'in_doubt'")).ConvertAll(row => row.Table);
        list.AddRange(reference.Received.Except(Place.Received.Keys, StringComparer.Ordinal).Except(doubts, StringComparer.Ordinal)
            .Select(key => $"{key} was not received"));
        // What is in doubt waits for a person, and with it what comes of its being sent.
        var state = doubts.Count > 0 ? reference.State : await reference.Digest.OfAsync(Database);
        var differing = reference.State.Where(table => state[table.Key] != table.Value).Select(table => table.Key).ToHashSet(StringComparer.Ordinal);
        if (differing.Count > 0)
        {
            var columns = await reference.Digest.ColumnsAsync(Database);
            list.AddRange(differing.Select(table => $"{table} is {state[table]} instead of {reference.State[table]}, in "
                + string.Join(", ", reference.Columns.Where(c => c.Key.StartsWith(table + ".", StringComparison.Ordinal) && columns[c.Key] != c.Value)
                    .Select(c => c.Key[(table.Length + 1)..]).Except(reference.Digest.Masked[table], StringComparer.Ordinal))));
        }

        return list.Count > 0 ? string.Join('\n', list) : null;
    }

    /// <summary>What validate finds.</summary>
    public async Task<IReadOnlyList<string>> FindingsAsync()
    {
        await using var database = new SalesDatabase(Database, new SalesDatabaseOptions { AsOf = FaultWorld.Present }, TimeProvider.System);
        var findings = await Validator.RunAsync(database, everyRow: true, TestContext.Current.CancellationToken);
        return [.. findings.Where(finding => !finding.IsInformation).Select(finding => finding.ToString())];
    }

    /// <summary>As if the time of every lease were over, and that of a try without a heartbeat: what a dead run held is free.</summary>
    public async Task ExpireLeasesAsync()
    {
        // The server notices late that a client is gone, and what its session still locks the next run passes over as being in somebody's
        // hands. Here that run comes much sooner than by any schedule.
        await Eventually.HoldsAsync("the sessions of the run end", async () => (await Digest.QueryAsync(
            Database,
            """
            SELECT pid::text, '' FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
            """)).Count == 0);
        await ExecuteAsync(
            """
            UPDATE outbox_messages SET lease_until = clock_timestamp() - interval '1 second' WHERE lease_until > clock_timestamp();
            UPDATE crm_links SET lease_until = clock_timestamp() - interval '1 second' WHERE lease_until > clock_timestamp();
            UPDATE task_runs SET heartbeat_at = heartbeat_at - interval '10 minutes' WHERE status = 'running';
            UPDATE crm_slots SET free_at = clock_timestamp() WHERE free_at > clock_timestamp()
            """);
    }

    /// <summary>A plain connection of the test's own.</summary>
    public async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(Database.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await ExecuteAsync(connection, sql);
    }

    [SuppressMessage("Security", "CA2100", Justification = "The test's own text.")]
    public static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 120 };
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Whether a session in the database waits for a lock.</summary>
    public async Task<bool> SomebodyWaitsAsync() => (await Digest.QueryAsync(
        Database, "SELECT pid::text, '' FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")).Count > 0;

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await Place.DisposeAsync();
        await _world.DropAsync(Database.Database!);
    }

    /// <summary>People work in the CRM too.</summary>
    private void EditCrm()
    {
        foreach (var (contact, i) in Place.HubSpot.Records("contacts").Select((contact, i) => (contact, i)).Take(20))
        {
            Place.HubSpot.Edit("contacts", contact.Id, ("firstname", $"Edited{i}"));
        }

        foreach (var deal in Place.HubSpot.Records("deals").Take(20))
        {
            Place.HubSpot.Edit("deals", deal.Id, ("dealstage", "contractsent"));
        }

        for (var i = 1; i <= 5; i++)
        {
            Place.HubSpot.Edit("contacts", null, ("email", $"stranger{i}@else.example"), ("firstname", "Nuevo"));
        }
    }
}
