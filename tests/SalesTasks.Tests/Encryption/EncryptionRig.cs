using System.Diagnostics;
using System.Text.Json;
using SalesTasks.Database;
using SalesTasks.Tests.Outbox;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Encryption;

/// <summary>A database with phones and notes, and the program with keys.</summary>
internal sealed class EncryptionRig(TestDatabase database)
{
    /// <summary>Without keys.</summary>
    public OutboxRig Bare { get; } = new OutboxRig(database).InProcess();

    public OutboxRig With(string? connection = null) => Bare.WithVariable(Keys.Variable, connection ?? Keys.Connection());

    /// <summary>Runs <c>privacy encrypt</c>, which has to succeed.</summary>
    public async Task<ProgramResult> EncryptAsync(params string[] flags) =>
        (await With().RunAsync(["privacy", "encrypt", .. flags])).ShouldExitWith(ExitCode.Done);

    /// <summary>Leads with phones of every kind, half of them with a deal and notes.</summary>
    public Task AddAsync(string prefix, int count) => database.ExecuteAsync(
        """
        INSERT INTO leads (ext_id, source, first_name, last_name, email, phone, created_at)
        SELECT @prefix || i, (ARRAY['organic', 'referral', 'paid'])[i % 3 + 1], 'Ana', 'Last' || i, @prefix || i || '@acme.example',
          (ARRAY['+34 600 ' || lpad(i::text, 6, '0'), '600-' || i, '12' || i % 1000, NULL, '', 'none', '000000000', '(0034) 911' || lpad(i::text, 6, '0')])[i % 8 + 1],
          sales_now() - interval '3 days'
        FROM generate_series(1, @count) AS i;
        INSERT INTO sales_pipeline (lead_ext_id, email, phone, notes)
        SELECT ext_id, email, phone, CASE WHEN lead_id % 4 = 0 THEN 'no answer' WHEN lead_id % 4 = 2 THEN 'secret-note of ' || ext_id END
        FROM leads WHERE starts_with(ext_id, @prefix) AND lead_id % 2 = 0
        """,
        ("prefix", prefix), ("count", count));

    /// <summary>What the lead's columns hold.</summary>
    public Task<string?> PhoneAsync(string lead) => database.ScalarAsync<string>("SELECT phone FROM leads WHERE ext_id = @lead", ("lead", lead));

    public async Task<string> ShownAsync(string lead, string? connection = null)
    {
        var shown = (await With(connection).RunAsync("leads", "show", lead, "--json")).ShouldExitWith(ExitCode.Done);
        using var document = JsonDocument.Parse(shown.Output);
        return document.RootElement[0].GetProperty("phone").GetString()!;
    }

    /// <summary>Everything that is stored, by pg_dump where it is installed, and by the server's own COPY in any case.</summary>
    public async Task<string> DumpAsync()
    {
        var tables = await database.QueryAsync(
            """
            SELECT c.oid::regclass::text FROM pg_class c
            WHERE c.relkind = 'r' AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
              AND c.relnamespace::regnamespace::text NOT LIKE 'pg\_%'
            """,
            row => row.GetString(0));
        var text = new List<string>();
        await using (var connection = await database.OpenConnectionAsync())
        {
            foreach (var table in tables)
            {
                using var copy = await connection.BeginTextExportAsync($"COPY {table} TO STDOUT", TestContext.Current.CancellationToken);
                text.Add(table + "\n" + await copy.ReadToEndAsync(TestContext.Current.CancellationToken));
            }
        }

        if (await PgDumpAsync() is { } dump)
        {
            text.Add(dump);
        }

        return string.Join('\n', text);
    }

    private async Task<string?> PgDumpAsync()
    {
        string program;
        try
        {
            program = Path.Combine((await PostgresBinaries.FindAsync(TestContext.Current.CancellationToken)).Folder, "pg_dump");
        }
        catch (JobException)
        {
            return null;
        }

        var to = database.Connection;
        var start = new ProcessStartInfo(program, ["-h", to.Host!, "-p", $"{to.Port}", "-U", to.Username!, to.Database!])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["PGPASSWORD"] = to.Password ?? "";
        if (!File.Exists(program))
        {
            return null;
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var dump = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        // A server newer than the program at hand is no fault of ours: COPY has read everything.
        return process.ExitCode == 0 || (await errors).Contains("version mismatch", StringComparison.Ordinal) ? dump : throw new InvalidOperationException(await errors);
    }
}
