using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using SalesTasks.Airflow;
using SalesTasks.Database;
using SalesTasks.Encryption;
using Spectre.Console;

namespace SalesTasks.Cli;

/// <summary>A command for people: a table (or <c>--json</c>) on stdout, errors in words on stderr, a meaningful exit code.</summary>
internal sealed class PeopleCommand : Command
{
    // A tree's own: a shared option would keep every command it was ever added to.
    private readonly Option<bool> _json = new("--json") { Description = "JSON instead of tables", Recursive = false };

    private readonly Option<string> _language = new("--lang")
    {
        Description = "Language of the tables: en or es; without it SALES_LANG, else en",
    };

    private readonly Func<PeopleContext, CancellationToken, Task<ExitCode>> _run;

    public PeopleCommand(string name, string description, Func<PeopleContext, CancellationToken, Task<ExitCode>> run)
        : base(name, description)
    {
        _run = run;
        _language.AcceptOnlyFromAmong("en", "es");
        Options.Add(_json);
        Options.Add(_language);
    }

    public async Task<ExitCode> RunAsync(CommandHost host, ParseResult parse)
    {
        using var stop = new StopSignal(host.Time);
        var language = parse.GetValue(_language) ?? host.Environment("SALES_LANG");
        var context = new PeopleContext(host, parse, parse.GetValue(_json), language is "es");
        try
        {
            return await _run(context, stop.Token);
        }
        catch (Exception) when (stop.WasAsked)
        {
            host.Error.WriteLine("stopped");
            return ExitCode.Stopped;
        }
        catch (Exception exception) when (PostgresErrors.ToJobException(exception) is { } failure)
        {
            host.Error.WriteLine("error: " + failure.Message);
            return failure.ExitCode;
        }
    }
}

/// <summary>What a command for people works with.</summary>
internal sealed class PeopleContext(CommandHost host, ParseResult parse, bool json, bool spanish)
{
    public CommandHost Host { get; } = host;

    public ParseResult Parse { get; } = parse;

    public bool Json { get; } = json;

    /// <summary>Picks the text in the language of <c>--lang</c>.</summary>
    public string Text(string english, string inSpanish) => spanish ? inSpanish : english;

    /// <summary>How numbers are written in that language.</summary>
    public IFormatProvider Numbers => StatementTexts.Numbers(spanish);

    /// <summary>The words that follow this number: those for one and those for any other number are given with a bar between them.</summary>
    public string Words(long number, string english, string inSpanish) => Text(english, inSpanish).Split('|')[number == 1 ? 0 : 1];

    /// <summary>Opens the database of <c>SALES_POSTGRES_CONN_ID</c> without looking at its schema.</summary>
    public SalesDatabase Database(SalesDatabaseOptions? options = null)
    {
        var connection = Host.Connections().Resolve(new ConnectionIds(Host.Environment).Postgres);
        return new SalesDatabase(PostgresConnectionString.From(connection), options ?? new SalesDatabaseOptions(), Host.Time);
    }

    /// <summary>Opens the database and checks that its schema is this program's.</summary>
    public async Task<SalesDatabase> OpenAsync(CancellationToken cancellationToken, SalesDatabaseOptions? options = null)
    {
        var database = Database(options);
        try
        {
            await database.CheckSchemaAsync(cancellationToken);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>The vault of the database; null: nothing is sealed in it.</summary>
    /// <exception cref="JobException">64: something is sealed and the keys are not there.</exception>
    public Task<Vault?> VaultAsync(SalesDatabase database, CancellationToken cancellationToken) =>
        Vault.OpenAsync(database, new ConnectionIds(Host.Environment), Host.Connections(), writes: false, cancellationToken);

    public IAnsiConsole Console { get; } = CreateConsole(host);

    /// <summary>Writes one JSON document, indented on a terminal.</summary>
    public void WriteJson(object? value)
    {
        using var buffer = new MemoryStream();
        var options = new JsonWriterOptions { Indented = Host.OutIsTerminal, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var writer = new Utf8JsonWriter(buffer, options))
        {
            JsonValues.Write(writer, value);
        }

        Host.Out.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
    }

    private static IAnsiConsole CreateConsole(CommandHost host)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(host.Out),
            Ansi = host.OutIsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
        });
        if (!host.OutIsTerminal)
        {
            // A piped table is as wide as its content, so that tools can read it line by line.
            console.Profile.Width = 10_000;
        }

        console.Pipeline.Attach(new FittedTables());

        return console;
    }
}
