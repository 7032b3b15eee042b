using Npgsql;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Training;
using Serilog;

namespace SalesTasks.Predictions.Predicting;

/// <summary>What says how likely deals are won.</summary>
internal static class WinModels
{
    /// <summary>The published model; where there is none that can be used, the rates by stage and source.</summary>
    public static async Task<IWinModel> LoadAsync(NpgsqlConnection connection, DateTimeOffset asOf, ILogger log, CancellationToken cancellationToken)
    {
        var stored = await ModelRegistry.PublishedAsync(connection, ModelKinds.WinProbability, cancellationToken);
        if (stored?.Model is { } model)
        {
            try
            {
                return new BlendWin(stored.Id, model.Open());
            }
            catch (LightGbmException exception)
            {
                stored = stored with { Fault = exception.Message };
            }
        }

        log.Warning("{Fault:l}", stored?.FaultText ?? "no model is published: the rates by stage and source answer; see ml train");
        return new PriorWin(await OutcomeRates.ReadAsync(connection, asOf, cancellationToken));
    }
}

/// <summary>The published model.</summary>
internal sealed class BlendWin(long id, BlendPredictor predictor) : IWinModel
{
    public long? Id => id;

    public string Version => $"win:{id}";

    public IReadOnlyList<string> Columns { get; } = predictor.Columns;

    public (double[] LogOdds, double[] Errors) Predict(DealSnapshots deals) => predictor.Predict(deals.Table, Rows(deals));

    public double[][] Explain(DealSnapshots deals) => predictor.Explain(deals.Table, Rows(deals));

    public void Dispose() => predictor.Dispose();

    private static int[] Rows(DealSnapshots deals) => [.. Enumerable.Range(0, deals.Moments.Count)];
}
