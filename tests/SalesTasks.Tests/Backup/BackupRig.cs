using System.Diagnostics;
using System.Globalization;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Backup;

/// <summary>A folder of backups of the test's own, and a database with a row or more of what matters.</summary>
internal sealed class BackupRig : IDisposable
{
    public BackupRig(TestDatabase database, string? folder = null)
    {
        Database = database;
        Folder = folder ?? Directory.CreateTempSubdirectory("sales-tasks-backup-").FullName;
    }

    public TestDatabase Database { get; }

    public string Folder { get; }

    /// <summary>The names that <c>backup list</c> could show.</summary>
    public IReadOnlyList<string> Names => [.. Directory.EnumerateDirectories(Folder).Select(d => Path.GetFileName(d)!).Where(n => n[0] != '.').Order(StringComparer.Ordinal)];

    public IReadOnlyList<string> Hidden => [.. Directory.EnumerateDirectories(Folder, ".*").Select(d => Path.GetFileName(d)!)];

    public RunningProgram Start(params string[] arguments) => Program().Start([.. arguments, "--backup-folder", Folder]);

    public Task<ProgramResult> RunAsync(params string[] arguments) => Start(arguments).Completion;

    public async Task<string> CreateAsync(params string[] flags)
    {
        var created = (await RunAsync(["backup", "create", .. flags])).ShouldExitWith(ExitCode.Done);
        return created.Result.GetProperty("details").GetProperty("backup").GetString()!;
    }

    public ProgramRunner Program() => ProgramRunner.For(Database);

    /// <summary>The program, with connections that lead to another database of the server.</summary>
    public ProgramRunner ProgramIn(string database) => ProgramRunner.Bare.With("AIRFLOW_CONN_SALES_POSTGRES", UriOf(database));

    public string UriOf(string database) => string.Create(
        CultureInfo.InvariantCulture,
        $"postgres://{Uri.EscapeDataString(Database.Connection.Username!)}:{Uri.EscapeDataString(Database.Connection.Password ?? "")}@{Database.Connection.Host}:{Database.Connection.Port}/{database}");

    /// <summary>A folder with a <c>pg_dump</c> and a <c>pg_restore</c> that do what the script says; they say they are of the server's version, the oldest of it.</summary>
    public async Task<string> StandInAsync(string script)
    {
        var version = await Database.ScalarAsync<string>("SELECT (current_setting('server_version_num')::int / 10000)::text");
        var folder = Directory.CreateDirectory(Path.Combine(Folder, ".stand-in")).FullName;
        foreach (var program in (string[])["pg_dump", "pg_restore"])
        {
            var path = Path.Combine(folder, program);
            await File.WriteAllTextAsync(
                path, $"#!/bin/sh\n[ \"$1\" = --version ] && {{ echo '{program} (PostgreSQL) {version}.0'; exit; }}\n{script}\n", TestContext.Current.CancellationToken);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            }
        }

        return folder;
    }

    /// <summary>Leads, deals, a sent and a waiting message, a message on the wire.</summary>
    public Task FillAsync() => Database.ExecuteAsync(
        """
        INSERT INTO leads (ext_id, source, first_name, email, created_at)
        SELECT 'lead-' || i, 'web', 'Añá "x" ' || i, 'a' || i || '@acme.example', now() FROM generate_series(1, 200) AS i;
        INSERT INTO sales_pipeline (lead_ext_id, email, stage) SELECT ext_id, email, 'contacted' FROM leads;
        INSERT INTO lead_score_history (lead_ext_id, score, calculated_at) SELECT ext_id, 50, now() FROM leads;
        INSERT INTO outbox_messages (idempotency_key, channel, purpose, payload, status, attempts, sent_at, finished_at)
        VALUES ('sent/1', 'slack', 'notice', '{"text": "x"}', 'sent', 1, now(), now());
        INSERT INTO outbox_messages (idempotency_key, channel, purpose, payload, status)
        VALUES ('waits/1', 'slack', 'notice', '{"text": "x"}', 'pending');
        INSERT INTO outbox_messages (idempotency_key, channel, purpose, payload, status, attempts, lease_token, lease_until)
        VALUES ('wire/1', 'slack', 'notice', '{"text": "x"}', 'sending', 1, gen_random_uuid(), now() + interval '1 minute')
        """);

    /// <summary>End of a stand-in's script that does not end by itself; <see cref="Dispose"/> ends it.</summary>
    public const string Hang = "echo $$ > \"$(dirname \"$0\")/../hanging.new\"; mv \"$(dirname \"$0\")/../hanging.new\" \"$(dirname \"$0\")/../hanging\"; exec sleep 300";

    /// <summary>Number of the process that hangs; null before it does.</summary>
    public int? Hanging => File.Exists(Path.Combine(Folder, "hanging"))
        ? int.Parse(File.ReadAllText(Path.Combine(Folder, "hanging")), CultureInfo.InvariantCulture)
        : null;

    public static bool IsAlive(int process) => Find(process) is not null;

    public void Dispose()
    {
        if (Hanging is { } process)
        {
            using var found = Find(process);
            found?.Kill();
        }

        Directory.Delete(Folder, recursive: true);
    }

    private static Process? Find(int process)
    {
        try
        {
            var found = Process.GetProcessById(process);
            return found.ProcessName == "sleep" ? found : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
