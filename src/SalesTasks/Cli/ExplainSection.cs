using System.CommandLine;
using System.Text.Json;
using Npgsql;

namespace SalesTasks.Cli;

/// <summary>What one capability has to say about a lead in <c>explain</c>.</summary>
/// <param name="Name">Its property in the JSON document; null: its properties stand at the top of it.</param>
/// <param name="LoadAsync">One JSON document about a lead by its ext_id; null where it has nothing to say, or does not know the lead.</param>
/// <param name="Show">Prints the same document for people.</param>
internal sealed record ExplainSection(
    string? Name,
    Func<PeopleContext, NpgsqlConnection, string, CancellationToken, Task<string?>> LoadAsync,
    Action<PeopleContext, JsonElement> Show)
{
    /// <summary>Its options, new ones for each command.</summary>
    public Func<IReadOnlyList<Option>> Options { get; init; } = () => [];
}
