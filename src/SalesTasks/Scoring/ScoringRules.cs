using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Scoring;

/// <summary>The stored versions of the scoring rules.</summary>
internal static class ScoringRules
{
    /// <summary>The version in force.</summary>
    /// <exception cref="JobException">69 when none is active: the schema was tampered with.</exception>
    public static async Task<int> ActiveVersionAsync(SalesDatabase database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await connection.ScalarStatementAsync<int?>("scoring/active_rules", [], cancellationToken)
            ?? throw JobException.Refused("No scoring rules are active; put a version in force with: sales-tasks scoring rules edit --activate N");
    }

    /// <param name="connection">Open.</param>
    /// <param name="version">Null: the active version.</param>
    /// <param name="cancellationToken">Stops the query.</param>
    /// <exception cref="JobException">64 when there is no such version.</exception>
    public static async Task<RuleDocument> LoadAsync(NpgsqlConnection connection, int? version, CancellationToken cancellationToken)
    {
        var json = await connection.ScalarStatementAsync<string>("scoring/rules_document", [("version", version)], cancellationToken)
            ?? throw JobException.Usage($"scoring rules: there is no version {version}; see: sales-tasks scoring rules show --versions");
        return new RuleDocument(json);
    }

    /// <summary>
    /// Keeps other editors out until the transaction ends. Before the rules are read: a change made from what another editor is about to
    /// replace would undo that editor's.
    /// </summary>
    public static Task LockAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        connection.ExecuteStatementAsync("scoring/lock_rules", [], cancellationToken);

    /// <summary>Stores a document as a new version, not in force yet.</summary>
    /// <returns>Its number.</returns>
    public static async Task<int> InsertAsync(NpgsqlConnection connection, RuleDocument rules, string createdBy, CancellationToken cancellationToken)
    {
        var version = await connection.ScalarStatementAsync<int>("scoring/insert_rules", [("document", rules.ToJson(createdBy))], cancellationToken);
        await connection.ExecuteStatementAsync(
            "scoring/insert_source_words", [("version", version), ("sources", rules.SourcesJson())], cancellationToken);
        return version;
    }

    /// <summary>Puts a version in force; the next <c>scoring score</c> applies it to every lead.</summary>
    public static async Task ActivateAsync(NpgsqlConnection connection, int version, CancellationToken cancellationToken)
    {
        await connection.ExecuteStatementAsync("scoring/deactivate_rules", [("version", version)], cancellationToken);
        await connection.ExecuteStatementAsync("scoring/activate_rules", [("version", version)], cancellationToken);
    }
}
