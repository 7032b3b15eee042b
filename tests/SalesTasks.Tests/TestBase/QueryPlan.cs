using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Tests.TestBase;

/// <summary>What a statement's plan handled: its cost in rows, which is the same on every machine.</summary>
internal sealed record QueryPlan(JsonElement Root)
{
    /// <summary>Rows that came out of nodes or were dropped in them, every repetition counted.</summary>
    public long Work => Nodes(Root).Sum(n => (long)(
        (Number(n, "Actual Rows") + Number(n, "Rows Removed by Filter") + Number(n, "Rows Removed by Join Filter") + Number(n, "Rows Removed by Index Recheck"))
        * Number(n, "Actual Loops")));

    /// <summary>The nodes and what each handled.</summary>
    public string Text => string.Join('\n', Nodes(Root).Select(n =>
        $"{n.GetProperty("Node Type")} {(n.TryGetProperty("Relation Name", out var relation) ? relation : "")} rows {Number(n, "Actual Rows")} x {Number(n, "Actual Loops")}"
        + $", dropped {Number(n, "Rows Removed by Filter") + Number(n, "Rows Removed by Join Filter")}"));

    /// <summary>Runs a statement of the program, takes it back, and returns its plan.</summary>
    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "The text is an embedded file.")]
    public static async Task<QueryPlan> OfAsync(TestDatabase database, string statement, params (string Name, object? Value)[] parameters)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand($"EXPLAIN (ANALYZE, TIMING off, FORMAT json) {Sql.Load(statement)}", connection);
        foreach (var (name, value) in parameters.GroupBy(p => p.Name).Select(p => p.Last()))
        {
            command.Parameters.Add(new NpgsqlParameter(name, value is DateTimeOffset instant ? instant.ToUniversalTime() : value ?? DBNull.Value));
        }

        var json = Json.Parse((string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!);
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        return new QueryPlan(json[0].GetProperty("Plan"));
    }

    public void ShouldNotScan(params string[] tables)
    {
        var scans = Nodes(Root).Where(n =>
            n.GetProperty("Node Type").GetString() == "Seq Scan" && tables.Contains(n.GetProperty("Relation Name").GetString())).ToList();
        Assert.True(scans.Count == 0, $"Reads the whole table.\n{Text}");
    }

    private static double Number(JsonElement node, string name) => node.TryGetProperty(name, out var number) ? number.GetDouble() : 0;

    private static IEnumerable<JsonElement> Nodes(JsonElement node) =>
        node.TryGetProperty("Plans", out var children) ? children.EnumerateArray().SelectMany(Nodes).Prepend(node) : [node];
}
