using System.Text.Json;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Predictions.Learning;

namespace SalesTasks.Predictions.Training;

/// <summary>A model as the database keeps it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="DataTo">Outcomes known later were not trained on.</param>
/// <param name="Metrics">JSON: how it did when it was trained.</param>
/// <param name="Model">Null where it cannot be read.</param>
/// <param name="Fault">Why it cannot; null where it can.</param>
internal sealed record StoredModel(long Id, DateTimeOffset DataTo, string Metrics, BlendModel? Model, string? Fault)
{
    /// <summary>The fault in words for people.</summary>
    public string FaultText => $"model {Id} cannot be used: {Fault}; the rates by stage and source answer instead; run \"sales-tasks ml train\"";
}

/// <summary>The models in the database.</summary>
internal static class ModelRegistry
{
    /// <summary>The model that predicts; null where none is published.</summary>
    public static async Task<StoredModel?> PublishedAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        (await connection.QueryStatementAsync("predictions/published_model", [], Read, cancellationToken)).SingleOrDefault();

    /// <summary>A model by its number.</summary>
    /// <exception cref="JobException">64: there is none.</exception>
    public static async Task<StoredModel> FindAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken) =>
        (await connection.QueryStatementAsync("predictions/model", [("id", id)], Read, cancellationToken)).SingleOrDefault()
        ?? throw JobException.Usage($"--model {id}: there is no such model; allowed: a number that 'ml models' lists");

    /// <summary>Keeps a model; a published one takes the place of the one before.</summary>
    public static async Task<long> RegisterAsync(
        NpgsqlConnection connection, TrainedModel trained, string? refusal, DateTimeOffset asOf, CancellationToken cancellationToken)
    {
        if (refusal is null)
        {
            await connection.ExecuteStatementAsync("predictions/retire_model", [("as_of", asOf)], cancellationToken);
        }

        var content = trained.Model.Write();
        return (await connection.QueryStatementAsync(
            "predictions/register_model",
            [
                ("status", refusal is null ? "published" : "refused"),
                ("reason", refusal ?? "it beats what predicted before and is calibrated"),
                ("algorithm", trained.Model.Algorithm),
                ("format", BlendModel.Format),
                ("code_version", ProgramInfo.Version),
                ("seed", trained.Seed),
                ("content", content),
                ("sha256", BlendModel.Hash(content)),
                ("features", JsonSerializer.Serialize(DealSnapshots.Columns)),
                ("metrics", trained.Metrics),
                ("data_from", trained.DataFrom),
                ("data_to", trained.DataTo),
                ("training_rows", trained.Rows),
                ("training_deals", trained.Deals),
                ("won", trained.Won),
                ("lost", trained.Deals - trained.Won),
                ("as_of", asOf),
            ],
            row => row.GetInt64(0),
            cancellationToken))[0];
    }

    private static StoredModel Read(NpgsqlDataReader row)
    {
        var model = BlendModel.Read(row.GetInt32(1), row.GetFieldValue<byte[]>(2), row.GetFieldValue<byte[]>(3), out var fault);
        return new StoredModel(row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(4), row.GetString(7), model, fault);
    }
}

/// <summary>A model with what it was trained on.</summary>
/// <param name="Model">The model.</param>
/// <param name="Seed">Of all draws.</param>
/// <param name="Metrics">JSON.</param>
/// <param name="DataFrom">The oldest snapshot.</param>
/// <param name="DataTo">Outcomes known later were not trained on.</param>
/// <param name="Rows">Snapshots.</param>
/// <param name="Deals">Their deals.</param>
/// <param name="Won">How many of them were won.</param>
internal sealed record TrainedModel(
    BlendModel Model, int Seed, string Metrics, DateTimeOffset DataFrom, DateTimeOffset DataTo, int Rows, int Deals, int Won);
