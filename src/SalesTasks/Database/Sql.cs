using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Npgsql;

namespace SalesTasks.Database;

/// <summary>
/// The statements of the <c>sql/</c> folder, embedded in the program. A name is the path without folder root and ending:
/// <c>scoring/score_block</c> is <c>sql/scoring/score_block.sql</c>.
/// </summary>
internal static class Sql
{
    private const string Root = "sql/";
    private const string Ending = ".sql";
    private const string MigrationFolder = "migrations/";

    private static readonly Assembly Resources = typeof(Sql).Assembly;
    private static readonly ConcurrentDictionary<string, string> Texts = new();

    /// <summary>The text of a statement, lines ended by LF.</summary>
    /// <exception cref="InvalidOperationException">No statement has this name: a defect of the program.</exception>
    public static string Load(string name) => Texts.GetOrAdd(name, Read);

    /// <summary>Names of all statements in ordinal order, migrations left out.</summary>
    public static IReadOnlyList<string> All() => [.. Names().Where(name => !name.StartsWith(MigrationFolder, StringComparison.Ordinal))];

    /// <summary>Names of the migrations in ordinal order.</summary>
    public static IReadOnlyList<string> Migrations() => [.. Names().Where(name => name.StartsWith(MigrationFolder, StringComparison.Ordinal))];

    /// <summary>
    /// A command that runs a statement with the given parameters. Instants are passed as UTC; null is passed without a type, so the
    /// statement decides (<c>@x::int</c> where it cannot).
    /// </summary>
    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "The text is an embedded file.")]
    public static NpgsqlCommand Command(NpgsqlConnection connection, string name, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = new NpgsqlCommand(Load(name), connection);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(Parameter(parameter));
        }

        return command;
    }

    /// <inheritdoc cref="Command"/>
    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "The text is an embedded file.")]
    public static NpgsqlBatchCommand BatchCommand(string name, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = new NpgsqlBatchCommand(Load(name));
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(Parameter(parameter));
        }

        return command;
    }

    private static NpgsqlParameter Parameter((string Name, object? Value) parameter) => new(parameter.Name, parameter.Value switch
    {
        null => DBNull.Value,
        DateTimeOffset instant => instant.ToUniversalTime(),
        _ => parameter.Value,
    });

    private static IEnumerable<string> Names() => Resources.GetManifestResourceNames()
        .Where(name => name.StartsWith(Root, StringComparison.Ordinal) && name.EndsWith(Ending, StringComparison.Ordinal))
        .Select(name => name[Root.Length..^Ending.Length])
        .Order(StringComparer.Ordinal);

    private static string Read(string name)
    {
        using var stream = Resources.GetManifestResourceStream(Root + name + Ending)
            ?? throw new InvalidOperationException($"No embedded statement '{name}': expected the file {Root}{name}{Ending}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
