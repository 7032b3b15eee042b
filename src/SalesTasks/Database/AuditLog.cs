using System.Text.Json.Nodes;
using Npgsql;

namespace SalesTasks.Database;

/// <summary>
/// The append-only trail. Changes to deals, people and settings write themselves, by triggers; what leaves no change behind is recorded here, by
/// whoever does it, before it is done.
/// </summary>
internal static class AuditLog
{
    /// <summary>Somebody reads what is stored about a person.</summary>
    /// <param name="connection">With a transaction where there is one: then the record stands or falls with it.</param>
    /// <param name="command">The command that shows it, for instance <c>explain</c>.</param>
    /// <param name="leadExtId">Whom it is about; kept as a hash.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static Task RecordReadAsync(NpgsqlConnection connection, string command, string leadExtId, CancellationToken cancellationToken) =>
        RecordAsync(connection, "read", command, null, leadExtId, null, cancellationToken);

    /// <summary>Somebody is given or loses access.</summary>
    /// <param name="connection">With the transaction in which it is done.</param>
    /// <param name="command">The command that does it.</param>
    /// <param name="role">To whom; null where it concerns several.</param>
    /// <param name="statements">What was executed.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static Task RecordGrantAsync(
        NpgsqlConnection connection, string command, string? role, IReadOnlyList<string> statements, CancellationToken cancellationToken) =>
        RecordAsync(
            connection, "grant", command, role, null,
            new JsonObject { ["statements"] = new JsonArray([.. statements.Select(s => (JsonNode)JsonValue.Create(s))]) }.ToJsonString(), cancellationToken);

    private static Task<int> RecordAsync(
        NpgsqlConnection connection, string operation, string subject, string? rowKey, string? leadExtId, string? details, CancellationToken cancellationToken) =>
        connection.ExecuteStatementAsync(
            "audit/event",
            [("operation", operation), ("subject", subject), ("row_key", rowKey), ("lead_ext_id", leadExtId), ("details", details)],
            cancellationToken);
}
