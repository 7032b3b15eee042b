using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Encryption;
using Spectre.Console;

namespace SalesTasks.Privacy;

/// <summary>
/// <c>privacy export</c>: everything that is stored about one person, table by table, from one snapshot. That it was asked for is written down
/// before anything is given out.
/// </summary>
internal static class ExportPerson
{
    public const string Format = "salestasks.person/1";
    private const string Name = "privacy export";

    public static PeopleCommand Command()
    {
        var who = new Argument<string>("person") { Description = "The lead's ext_id or another id it is known by, or an e-mail address or telephone number" };
        var output = new Option<string?>("--out") { Description = "Write the JSON document to this new file, for its owner's eyes only; - is standard output" };
        var command = new PeopleCommand("export", "Give out everything that is stored about one person, as one JSON document", async (context, stop) =>
        {
            var subject = Subject.Read(Name, context.Parse.GetRequiredValue(who));
            var path = context.Parse.GetValue(output);
            await using var database = await context.OpenAsync(stop);
            var vault = await context.VaultAsync(database, stop);
            var export = await database.InSnapshotAsync((connection, _, token) => ReadAsync(connection, subject, vault, context.Host.Time, token), stop);
            if (path is "-" || (path is null && context.Json))
            {
                context.Host.Out.WriteLine(Encoding.UTF8.GetString(Write(export)));
                return ExitCode.Done;
            }

            if (path is not null)
            {
                await SaveAsync(path, Write(export), stop);
            }

            Show(context, export, path);
            return ExitCode.Done;
        });
        command.Arguments.Add(who);
        command.Options.Add(output);
        return command;
    }

    /// <summary>Reads everything, and notes that it was read.</summary>
    public static async Task<PersonExport> ReadAsync(
        NpgsqlConnection connection, Subject subject, Vault? vault, TimeProvider time, CancellationToken cancellationToken)
    {
        await connection.ExecuteStatementAsync("database/set_actor", [("actor", Environment.UserName)], cancellationToken);
        var person = await Person.FindAsync(connection, Name, subject, mayBeNobody: false, vault, cancellationToken);
        foreach (var lead in person.ExtIds)
        {
            await AuditLog.RecordReadAsync(connection, Name, lead, cancellationToken);
        }

        var revealed = vault is null ? null : await RevealedRows.OpenAsync(connection, vault, person, cancellationToken);
        var tables = new List<ExportedTable>();
        foreach (var table in PersonalData.Tables)
        {
            var rows = new List<string>();
            foreach (var statement in table.Exports)
            {
                rows.AddRange(await PrivacyStore.QueryAsync<string>(connection, "privacy/export/" + statement, person.Parameters, cancellationToken));
            }

            tables.Add(new ExportedTable(table.Name, table.Origin, revealed is null ? rows : rows.ConvertAll(row => revealed.Row(table.Name, row))));
        }

        await PrivacyStore.EnsureSecretAsync(connection, cancellationToken);
        var id = await PrivacyStore.RequestAsync(connection, "export", person.Subject, null, person.Leads.Count, cancellationToken);
        await connection.ExecuteStatementAsync(
            "privacy/request_done",
            [("id", id), ("count", person.Leads.Count), ("counts", Counts(tables.Select(t => (t.Name, (long)t.Rows.Count))))],
            cancellationToken);
        return new PersonExport(id, time.GetUtcNow(), person, tables, await Elsewhere.PlacesAsync(connection, cancellationToken));
    }

    /// <summary>Counts by table as JSON, those of 0 left out.</summary>
    public static string Counts(IEnumerable<(string Name, long Count)> counts) => JsonSerializer.Serialize(
        counts.Where(c => c.Count > 0).ToDictionary(c => c.Name, c => c.Count, StringComparer.Ordinal), PrivacyJson.Default.DictionaryStringInt64);

    private static byte[] Write(PersonExport export)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("format", Format);
            writer.WriteNumber("request", export.Request);
            writer.WriteString("exported_at", export.At);
            writer.WriteString("asked_by", export.Person.Subject.Kind);
            WriteTexts(writer, "leads", export.Person.ExtIds);
            WriteTexts(writer, "not_included", export.Person.Others);
            writer.WriteStartArray("tables");
            foreach (var table in export.Tables)
            {
                writer.WriteStartObject();
                writer.WriteString("table", table.Name);
                writer.WriteString("origin", table.Origin);
                writer.WriteStartArray("rows");
                foreach (var row in table.Rows)
                {
                    writer.WriteRawValue(row);
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            WriteTexts(writer, "elsewhere", export.Elsewhere.Select(p => p.English));
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static void WriteTexts(Utf8JsonWriter writer, string name, IEnumerable<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (var text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }

    /// <exception cref="JobException">64: there is such a file, or it cannot be written.</exception>
    private static async Task SaveAsync(string path, byte[] content, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            await using var file = new FileStream(path, options);
            await file.WriteAsync(content, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            var fault = File.Exists(path) ? "is there already" : $"cannot be written ({exception.GetType().Name})";
            throw JobException.Usage(
                $"{Name}: --out {Quoted.Text(path)} {fault}; allowed: a new file in a folder this user may write, or -", exception);
        }
    }

    private static void Show(PeopleContext context, PersonExport export, string? path)
    {
        var leads = export.Person.Leads.Count;
        var table = new Table().AddColumns(context.Text("Table", "Tabla"), context.Text("Rows", "Filas"), context.Text("From", "De dónde"));
        foreach (var part in export.Tables.Where(t => t.Rows.Count > 0))
        {
            table.AddRow(part.Name, part.Rows.Count.ToString(context.Numbers), Markup.Escape(part.Origin));
        }

        context.Host.Out.WriteLine(
            $"{leads} {context.Words(leads, "lead|leads", "lead|leads")}{(leads > 0 ? ": " + string.Join(", ", export.Person.ExtIds) : "")}");
        context.Console.Write(table);
        if (export.Person.Others.Count > 0)
        {
            context.Host.Out.WriteLine(context.Text("Share a number, have other names, and are left out: ", "Comparten un número, tienen otros nombres y quedan fuera: ")
                + string.Join(", ", export.Person.Others));
        }

        context.Host.Out.WriteLine(path is null
            ? context.Text("The rows themselves: --out FILE, or --json.", "Las filas en sí: --out FICHERO, o --json.")
            : context.Text($"Written to {path}.", $"Escrito en {path}."));
        Elsewhere.Show(context, export.Elsewhere);
    }
}

/// <summary>What an export holds.</summary>
internal sealed record PersonExport(
    long Request, DateTimeOffset At, Person Person, IReadOnlyList<ExportedTable> Tables, IReadOnlyList<(string English, string Spanish)> Elsewhere);

/// <summary>The person's rows of a table, as JSON objects.</summary>
internal sealed record ExportedTable(string Name, string Origin, IReadOnlyList<string> Rows);

/// <summary>What no command on the database reaches; docs/privacy.md tells what to do there.</summary>
internal static class Elsewhere
{
    private static readonly IReadOnlyList<(string English, string Spanish)> s_always =
    [
        ("backups of the database, until they are deleted", "copias de seguridad de la base de datos, hasta que se borren"),
        ("files of lead sources, their reject files, and exports like this one", "ficheros de origen de leads, sus ficheros de rechazos y exportaciones como esta"),
        ("reports that were written to folders, S3 or e-mail", "informes escritos en carpetas, S3 o correo"),
        ("messages that were sent: mailboxes, Slack, call systems", "mensajes enviados: buzones, Slack, sistemas de llamadas"),
        ("free text in records of other people", "texto libre en registros de otras personas"),
    ];

    /// <summary>With the old tables of an adoption, as long as they are there.</summary>
    public static async Task<IReadOnlyList<(string English, string Spanish)>> PlacesAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
    [
        .. (await PrivacyStore.QueryAsync<string>(connection, "privacy/old_tables", [], cancellationToken)).Select(schema => (
            $"the old tables in schema {schema}, which db adopt left as they were: db adopt --finish drops them",
            $"las tablas antiguas del esquema {schema}, que db adopt dejó como estaban: db adopt --finish las elimina")),
        .. s_always,
    ];

    public static void Show(PeopleContext context, IReadOnlyList<(string English, string Spanish)> places)
    {
        context.Host.Out.WriteLine(context.Text("Not reached from here:", "Fuera del alcance de esta orden:"));
        foreach (var (english, spanish) in places)
        {
            context.Host.Out.WriteLine("- " + context.Text(english, spanish));
        }
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(Dictionary<string, long>))]
internal sealed partial class PrivacyJson : System.Text.Json.Serialization.JsonSerializerContext;
