using System.Text.Json;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Predictions.Learning;

namespace SalesTasks.Predictions.Training;

/// <summary>A model as the database keeps it.</summary>
/// <param name="Kind">What it predicts.</param>
/// <param name="Id">Its number.</param>
/// <param name="DataTo">Outcomes known later were not trained on.</param>
/// <param name="Metrics">JSON: how it did when it was trained.</param>
/// <param name="Model">Null where it cannot be read.</param>
/// <param name="Fault">Why it cannot; null where it can.</param>
internal sealed record StoredModel<T>(ModelKind<T> Kind, long Id, DateTimeOffset DataTo, string Metrics, T? Model, string? Fault)
    where T : class, IKeptModel
{
    /// <summary>The fault in words for people.</summary>
    public string FaultText => $"model {Id} cannot be used: {Fault}; {Kind.Otherwise}; run \"sales-tasks ml train\"";
}

/// <summary>The models in the database.</summary>
internal static class ModelRegistry
{
    /// <summary>The model of a kind that predicts; null where none is published.</summary>
    public static async Task<StoredModel<T>?> PublishedAsync<T>(NpgsqlConnection connection, ModelKind<T> kind, CancellationToken cancellationToken)
        where T : class, IKeptModel =>
        (await connection.QueryStatementAsync("predictions/published_model", [("kind", kind.Name)], row => Read(kind, row), cancellationToken)).SingleOrDefault();

    /// <summary>A model of a kind by its number.</summary>
    /// <exception cref="JobException">64: there is none.</exception>
    public static async Task<StoredModel<T>> FindAsync<T>(NpgsqlConnection connection, ModelKind<T> kind, long id, CancellationToken cancellationToken)
        where T : class, IKeptModel =>
        (await connection.QueryStatementAsync("predictions/model", [("id", id)], row => Read(kind, row), cancellationToken)).SingleOrDefault()
        ?? throw NoSuchModel(id);

    /// <summary>What a model predicts.</summary>
    /// <exception cref="JobException">64: there is none.</exception>
    public static async Task<string> KindOfAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken) =>
        (await connection.QueryStatementAsync("predictions/model", [("id", id)], row => row.GetString(8), cancellationToken)).SingleOrDefault()
        ?? throw NoSuchModel(id);

    /// <summary>Keeps a model; a published one takes the place of the one before.</summary>
    public static async Task<long> RegisterAsync(
        NpgsqlConnection connection, TrainedModel trained, string? refusal, DateTimeOffset asOf, CancellationToken cancellationToken)
    {
        if (refusal is null)
        {
            await connection.ExecuteStatementAsync("predictions/retire_model", [("kind", trained.Kind), ("as_of", asOf)], cancellationToken);
        }

        return (await connection.QueryStatementAsync(
            "predictions/register_model",
            [
                ("kind", trained.Kind),
                ("status", refusal is null ? "published" : "refused"),
                ("reason", refusal ?? trained.Reason),
                ("algorithm", trained.Algorithm),
                ("format", trained.Format),
                ("code_version", ProgramInfo.Version),
                ("seed", trained.Seed),
                ("content", trained.Content),
                ("sha256", ModelContent.Hash(trained.Content)),
                ("features", JsonSerializer.Serialize(DealSnapshots.Columns)),
                ("metrics", trained.Metrics),
                ("data_from", trained.DataFrom),
                ("data_to", asOf),
                ("training_rows", trained.Rows),
                ("training_deals", trained.Deals),
                ("won", trained.Won),
                ("lost", trained.Lost),
                ("as_of", asOf),
            ],
            row => row.GetInt64(0),
            cancellationToken))[0];
    }

    private static StoredModel<T> Read<T>(ModelKind<T> kind, NpgsqlDataReader row)
        where T : class, IKeptModel
    {
        var model = ModelContent.Read<T>(row.GetInt32(1), kind.Format, row.GetFieldValue<byte[]>(2), row.GetFieldValue<byte[]>(3), out var fault);
        return new StoredModel<T>(kind, row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(4), row.GetString(7), model, fault);
    }

    private static JobException NoSuchModel(long id) =>
        JobException.Usage($"--model {id}: there is no such model; allowed: a number that 'ml models' lists");
}

/// <summary>A model with what it was trained on.</summary>
/// <param name="Kind">What it predicts, as in <c>ml_models.kind</c>.</param>
/// <param name="Format">The form of <paramref name="Content"/>.</param>
/// <param name="Algorithm">What won its competition.</param>
/// <param name="Content">The model.</param>
/// <param name="Seed">Of all draws.</param>
/// <param name="Metrics">JSON.</param>
/// <param name="Reason">Why it is published, where it is.</param>
/// <param name="DataFrom">The oldest snapshot.</param>
/// <param name="Rows">Snapshots.</param>
/// <param name="Deals">Their deals.</param>
/// <param name="Won">How many of them were won.</param>
/// <param name="Lost">And lost; the others are open.</param>
internal sealed record TrainedModel(
    string Kind, int Format, string Algorithm, byte[] Content, int Seed, string Metrics, string Reason, DateTimeOffset DataFrom, int Rows, int Deals, int Won, int Lost)
{
    public static TrainedModel Of<T>(ModelKind<T> kind, T model, Material material, DealSnapshots rows, string metrics, string reason)
        where T : class, IKeptModel
    {
        var deals = rows.Moments.DistinctBy(m => m.PipelineId).ToList();
        return new TrainedModel(
            kind.Name, kind.Format, model.Algorithm, ModelContent.Write(model), material.Seed, metrics, reason, rows.Moments.Min(m => m.At), rows.Moments.Count,
            deals.Count, deals.Count(m => m.Won is true), deals.Count(m => m.Won is false));
    }
}
