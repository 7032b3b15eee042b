using System.Globalization;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Backup;

/// <summary>
/// <c>backup create</c>: a dump and, from the same snapshot, what it must contain; published when both are on disk; then the retention. Jobs go on
/// meanwhile: a dump conflicts with nothing but changes of the schema, and those of jobs (new partitions) are made beforehand.
/// </summary>
internal sealed class CreateBackup(JobContext context)
{
    /// <summary>A schema change that comes in between makes pg_dump give up; a new snapshot helps.</summary>
    private const int Tries = 3;

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(2);

    private readonly int _jobs = context.Parameters.Get(BackupJobs.Parallel);
    private readonly RetentionPlan _plan = BackupJobs.Plan(context.Parameters);

    public static Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken) => new CreateBackup(context).RunAsync(cancellationToken);

    private async Task<JobResult> RunAsync(CancellationToken cancellationToken)
    {
        var folder = BackupJobs.Folder(context);
        var connection = LibpqEnvironment.Connection(context.Connections, context.ConnectionIds);
        await using var database = new SalesDatabase(connection, Fingerprints.Options("backup create"), context.Time);
        if (context.DryRun)
        {
            return await PreviewAsync(folder, database, cancellationToken);
        }

        using var held = folder.Lock();
        if (folder.ClearLeftovers() is > 0 and var stuck)
        {
            context.Log.Warning("{Count} left-overs of killed runs could not be removed; the next run tries again", stuck);
        }

        if (await FindAsync(folder, database, cancellationToken) is { } done)
        {
            // An earlier try of this run got that far.
            return await ConcludeAsync(folder, done.Name, done.Manifest!, database, made: false, cancellationToken);
        }

        await MakePartitionsAsync(database, cancellationToken);
        var (name, manifest) = await MakeAsync(folder, connection, database, cancellationToken);
        context.Log.Information("{Name:l} is complete: {Rows} rows, {Bytes} bytes", name, manifest.Rows, manifest.Bytes);
        return await ConcludeAsync(folder, name, manifest, database, made: true, cancellationToken);
    }

    /// <summary>This run's backup of this database, which an earlier try has published: other databases in the folder have runs of the same name.</summary>
    private async Task<StoredBackup?> FindAsync(BackupFolder folder, SalesDatabase database, CancellationToken cancellationToken)
    {
        var ours = folder.List().Where(backup => backup.Fault is null && backup.Manifest!.Run == context.Run.IdempotencyKey).ToList();
        if (ours.Count == 0)
        {
            return null;
        }

        await using var connection = await database.OpenAsync(cancellationToken);
        var facts = await Fingerprints.FactsAsync(connection, cancellationToken);
        return ours.Find(backup => IsOf(backup, facts.Database, facts.Schema));
    }

    private static bool IsOf(StoredBackup backup, string database, string schema) =>
        backup.Manifest is { } manifest && manifest.Database == database && manifest.Schema == schema;

    private async Task<JobResult> ConcludeAsync(
        BackupFolder folder, string name, BackupManifest manifest, SalesDatabase database, bool made, CancellationToken cancellationToken)
    {
        await database.ExecuteAsync(
            "backup/record",
            [("name", name), ("taken_at", manifest.TakenAt), ("bytes", manifest.Bytes), ("tables", manifest.Tables.Count), ("rows", manifest.Rows)],
            cancellationToken);
        JobException? failure = null;
        if (context.Parameters.Get(BackupJobs.Verify))
        {
            try
            {
                await VerifyBackup.RunAsync(
                    folder, name, LibpqEnvironment.Connection(context.Connections, context.ConnectionIds), _jobs, context.Time, context.Advance, cancellationToken);
            }
            catch (JobException found) when (found.ExitCode is ExitCode.Refused)
            {
                failure = found;
            }
        }

        // Not before the new one is known to be good: a failing disk must not take the old ones along.
        var removed = failure is null ? await RemoveAsync(folder, manifest, database, cancellationToken) : 0;
        return new JobResult(new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["backups_made"] = made ? 1 : 0,
            ["tables"] = manifest.Tables.Count,
            ["rows"] = manifest.Rows,
            ["bytes"] = manifest.Bytes,
            ["verified"] = context.Parameters.Get(BackupJobs.Verify) && failure is null ? 1 : 0,
            ["backups_removed"] = removed,
        })
        {
            Details = new Dictionary<string, object?>(StringComparer.Ordinal) { ["backup"] = name },
            Failure = failure,
        };
    }

    private async Task<JobResult> PreviewAsync(BackupFolder folder, SalesDatabase database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var facts = await Fingerprints.FactsAsync(connection, cancellationToken);
        var tools = await PostgresTools.FindAsync(facts.ServerMajor, cancellationToken);
        var tables = await connection.QueryStatementAsync("backup/tables", [], row => row.GetString(0), cancellationToken);
        var stored = Directory.Exists(folder.Path) ? folder.List() : [];
        return new JobResult(new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["tables"] = tables.Count,
            ["database_bytes"] = facts.Bytes,
            ["backups_removed"] = Superfluous(stored, facts.Database, facts.Schema, context.Time.GetUtcNow()).Count,
        })
        {
            Details = new Dictionary<string, object?>(StringComparer.Ordinal) { ["pg_dump"] = tools.Dump, ["version"] = tools.Version.ToString() },
        };
    }

    /// <summary>Where it cannot be done, only a job that needs one meanwhile would wait.</summary>
    private async Task MakePartitionsAsync(SalesDatabase database, CancellationToken cancellationToken)
    {
        try
        {
            await using var quick = new SalesDatabase(
                LibpqEnvironment.Connection(context.Connections, context.ConnectionIds),
                Fingerprints.Options("backup create") with { LockTimeout = TimeSpan.FromSeconds(2) },
                context.Time);
            await quick.InTransactionAsync(
                (connection, _, token) => connection.ScalarStatementAsync<long>("backup/partitions_ahead", [("as_of", context.Time.GetUtcNow())], token), cancellationToken);
        }
        catch (PostgresException left) when (left.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.InsufficientPrivilege)
        {
            context.Log.Warning("Partitions ahead are left to db maintain (SQLSTATE {State:l})", left.SqlState);
        }
    }

    private async Task<(string Name, BackupManifest Manifest)> MakeAsync(
        BackupFolder folder, NpgsqlConnectionStringBuilder connection, SalesDatabase database, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            string? partial = null;
            try
            {
                partial = folder.Begin();
                var manifest = await DumpAsync(partial, connection, database, cancellationToken);
                return (folder.Publish(partial, manifest), manifest);
            }
            catch (JobException failure) when (failure.ExitCode is ExitCode.TemporaryFailure && attempt < Tries && failure.Message != FileFaults.Full(folder.Path))
            {
                context.Log.Warning("Trying again: {Reason:l}", failure.Message);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw FileFaults.Describe(folder.Path, exception);
            }
            finally
            {
                Discard(partial);
            }

            await Task.Delay(s_pause, context.Time, cancellationToken);
        }
    }

    private async Task<BackupManifest> DumpAsync(
        string partial, NpgsqlConnectionStringBuilder connection, SalesDatabase database, CancellationToken cancellationToken)
    {
        return await database.InSnapshotAsync(
            async (snapshot, _, _) =>
            {
                // Where a conflict makes it begin anew, pg_dump wants a folder that is not there.
                Discard(Path.Combine(partial, BackupFolder.DumpName));
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                await snapshot.QueryStatementAsync("backup/session", [], _ => 0, stop.Token);
                var takenAt = context.Time.GetUtcNow();
                var facts = await Fingerprints.FactsAsync(snapshot, stop.Token);
                var schemaVersion = (await MigrationJournal.ReadInTransactionAsync(snapshot, stop.Token)).Version;
                var tools = await PostgresTools.FindAsync(facts.ServerMajor, stop.Token);
                var before = await Fingerprints.SequencesAsync(snapshot, stop.Token);
                var id = await snapshot.ScalarStatementAsync<string>("backup/export_snapshot", [], stop.Token);

                var dump = DumpAsync(tools, connection, facts, id!, partial, stop.Token);
                var tables = Fingerprints.TablesAsync(snapshot, facts.Schema, context.Advance, stop.Token);
                await TogetherAsync(tables, dump, stop);
                // The connection does one thing at a time.
                var prints = await tables;
                var after = (await Fingerprints.SequencesAsync(snapshot, stop.Token)).ToDictionary(s => s.Name, s => s.Value, StringComparer.Ordinal);
                return new BackupManifest
                {
                    Format = BackupManifest.CurrentFormat,
                    Program = ProgramInfo.Version,
                    SchemaVersion = schemaVersion,
                    Database = facts.Database,
                    Schema = facts.Schema,
                    ServerMajor = facts.ServerMajor,
                    ServerVersion = facts.ServerVersion,
                    Tool = tools.Version.ToString(),
                    Encoding = facts.Encoding,
                    Collation = facts.Collation,
                    Ctype = facts.Ctype,
                    TakenAt = takenAt,
                    FinishedAt = context.Time.GetUtcNow(),
                    Run = context.Run.IdempotencyKey,
                    Tables = prints,
                    Sequences = [.. before.Select(s => new SequenceRange(s.Name, s.Value, after.GetValueOrDefault(s.Name, s.Value)))],
                    Files = await BackupFolder.DescribeAsync(partial, stop.Token),
                };
            },
            cancellationToken);
    }

    private Task<string> DumpAsync(
        PostgresTools tools, NpgsqlConnectionStringBuilder connection, DatabaseFacts facts, string snapshot, string partial, CancellationToken cancellationToken) =>
        PostgresProgram.RunAsync(
            tools.Dump,
            [
                "--format=directory", string.Create(CultureInfo.InvariantCulture, $"--jobs={_jobs}"),
                // More costs more time than it saves space: 1 million leads take 6.9 s and 29 MB at level 1, 11.8 s and 27 MB at level 6.
                "--compress=1",
                "--schema=" + Fingerprints.Quote(facts.Schema), "--no-unlogged-table-data", "--snapshot=" + snapshot,
                // Behind a change of the schema.
                "--lock-wait-timeout=30s", "--no-password", "--encoding=UTF8", "--file=" + Path.Combine(partial, BackupFolder.DumpName),
            ],
            LibpqEnvironment.Of(connection),
            Path.GetDirectoryName(partial)!,
            cancellationToken);

    /// <summary>
    /// Waits for both. The first that fails ends the other, and is the answer: what the other then says is only that it was ended. But a role that may
    /// not read all is told of it by the session, with its SQLSTATE, more clearly than by the program.
    /// </summary>
    private static async Task TogetherAsync(Task session, Task program, CancellationTokenSource stop)
    {
        var first = await Task.WhenAny(session, program);
        if (!first.IsCompletedSuccessfully)
        {
            await stop.CancelAsync();
        }

        await Task.WhenAll(session, program).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        if (session.Exception?.InnerException is PostgresException { SqlState: not PostgresErrorCodes.QueryCanceled })
        {
            first = session;
        }

        await first;
        await Task.WhenAll(session, program);
    }

    private async Task<int> RemoveAsync(BackupFolder folder, BackupManifest made, SalesDatabase database, CancellationToken cancellationToken)
    {
        var removed = new List<string>();
        try
        {
            foreach (var name in Superfluous(folder.List(), made.Database, made.Schema, next: null))
            {
                cancellationToken.ThrowIfCancellationRequested();
                folder.Remove(name);
                removed.Add(name);
                context.Log.Information("{Name:l} is removed: newer ones stand for its day, week and month", name);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw FileFaults.Describe(folder.Path, exception);
        }
        finally
        {
            if (removed.Count > 0)
            {
                // What is gone is gone, also where the run is asked to stop or another one does not go.
                await database.ExecuteAsync("backup/record_removed", [("names", removed.ToArray())], CancellationToken.None);
            }
        }

        return removed.Count;
    }

    /// <summary>Good backups of this database that no day, week or month needs. Those of others, and damaged ones, are never among them.</summary>
    private List<string> Superfluous(IReadOnlyList<StoredBackup> stored, string database, string schema, DateTimeOffset? next)
    {
        var ours = stored.Where(backup => backup.Fault is null && IsOf(backup, database, schema)).ToList();
        var kept = _plan.Apply([.. ours.Select(backup => backup.Manifest!.TakenAt), .. next is { } at ? [at] : Array.Empty<DateTimeOffset>()]);
        return [.. ours.Where(backup => kept[backup.Manifest!.TakenAt] is KeptAs.Nothing).Select(backup => backup.Name)];
    }

    private void Discard(string? partial)
    {
        try
        {
            if (Directory.Exists(partial))
            {
                Directory.Delete(partial, recursive: true);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            context.Log.Warning("An incomplete backup could not be removed ({Reason:l}); the next run does it", exception.GetType().Name);
        }
    }
}
