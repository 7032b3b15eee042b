using Npgsql;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Outcomes;
using SalesTasks.Predictions.Training;
using Serilog;

namespace SalesTasks.Predictions.Predicting;

/// <summary>Log-odds of winning. Rows are those of the snapshots. Not safe for two threads at once, like all of these.</summary>
internal interface IWinModel : IDisposable
{
    /// <summary>The model's number in ml_models; null: the rates by stage and source answer.</summary>
    public long? Id { get; }

    /// <summary>Changes whenever the same deal could get another answer.</summary>
    public string Version { get; }

    /// <summary>Names of what contributes.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>For each deal the log-odds and their standard error.</summary>
    public (double[] LogOdds, double[] Errors) Predict(DealSnapshots deals);

    /// <summary>For each deal what each column adds to the log-odds, then the base; they add up to the log-odds.</summary>
    public double[][] Explain(DealSnapshots deals);
}

/// <summary>What deals bring if won.</summary>
internal interface IDealValueModel : IDisposable
{
    /// <summary>The model's number in ml_models; null: there is none.</summary>
    public long? Id { get; }

    /// <summary>One a deal; null where nothing is known.</summary>
    public Estimate?[] Values(DealSnapshots deals);
}

/// <summary>Days until deals end.</summary>
internal interface ITimeToCloseModel : IDisposable
{
    /// <summary>The model's number in ml_models; null: there is none.</summary>
    public long? Id { get; }

    public DaysToClose[] Days(DealSnapshots deals);
}

/// <summary>Probability of losing deals or of their going silent.</summary>
internal interface IRiskModel : IDisposable
{
    /// <summary>The model's number in ml_models; null: there is none.</summary>
    public long? Id { get; }

    /// <param name="deals">The deals.</param>
    /// <param name="probabilities">Of winning each.</param>
    public double[] Risks(DealSnapshots deals, double[] probabilities);
}

/// <summary>What predicts: the published model of each kind, or what answers in its place.</summary>
internal sealed class DealModels(IWinModel win, IDealValueModel value, ITimeToCloseModel time, IRiskModel risk) : IDisposable
{
    public IWinModel Win => win;

    public IDealValueModel Value => value;

    public ITimeToCloseModel Time => time;

    public IRiskModel Risk => risk;

    /// <summary>Changes whenever the same deal could get another answer.</summary>
    public string Version => $"{win.Version} value:{value.Id} time:{time.Id} risk:{risk.Id}";

    /// <summary>Loads what is published. A model that cannot be used is named in the log, and what answers without one takes its place.</summary>
    public static async Task<DealModels> LoadAsync(NpgsqlConnection connection, DateTimeOffset asOf, ILogger log, CancellationToken cancellationToken) => new(
        await WinModels.LoadAsync(connection, asOf, log, cancellationToken),
        await LoadValueAsync(connection, log, cancellationToken),
        await LoadTimeAsync(connection, log, cancellationToken),
        await LoadRiskAsync(connection, log, cancellationToken));

    /// <summary>What is expected of each deal.</summary>
    public Outlook[] Predict(DealSnapshots deals)
    {
        var (logOdds, errors) = win.Predict(deals);
        var contributions = win.Explain(deals);
        var values = value.Values(deals);
        var days = time.Days(deals);
        var risks = risk.Risks(deals, [.. logOdds.Select(Learning.Logits.ToProbability)]);
        return [.. logOdds.Select((odds, row) => new Outlook(odds, errors[row], contributions[row], values[row], days[row], risks[row]))];
    }

    public void Dispose()
    {
        win.Dispose();
        value.Dispose();
        time.Dispose();
        risk.Dispose();
    }

    private static async Task<IDealValueModel> LoadValueAsync(NpgsqlConnection connection, ILogger log, CancellationToken cancellationToken) =>
        await UsableAsync(connection, ModelKinds.DealValue, log, cancellationToken) is var (id, model) ? new KeptValueModel(id, model) : new NoValueModel();

    private static async Task<ITimeToCloseModel> LoadTimeAsync(NpgsqlConnection connection, ILogger log, CancellationToken cancellationToken) =>
        await UsableAsync(connection, ModelKinds.TimeToClose, log, cancellationToken) is var (id, model) ? new KeptTimeModel(id, model) : new NoTimeModel();

    private static async Task<IRiskModel> LoadRiskAsync(NpgsqlConnection connection, ILogger log, CancellationToken cancellationToken) =>
        await UsableAsync(connection, ModelKinds.Risk, log, cancellationToken) is var (id, model) ? new KeptRiskModel(id, model) : new LossRisk();

    /// <summary>The published model of a kind; null where there is none that can be used, which is said in the log.</summary>
    private static async Task<(long Id, T Model)?> UsableAsync<T>(
        NpgsqlConnection connection, ModelKind<T> kind, ILogger log, CancellationToken cancellationToken)
        where T : class, IKeptModel
    {
        var stored = await ModelRegistry.PublishedAsync(connection, kind, cancellationToken);
        if (stored?.Fault is not null)
        {
            log.Warning("{Fault:l}", stored.FaultText);
        }

        return stored?.Model is { } model ? (stored.Id, model) : null;
    }
}

/// <summary>The published model of what deals bring.</summary>
internal sealed class KeptValueModel(long id, ValueModel model) : IDealValueModel
{
    public long? Id => id;

    public Estimate?[] Values(DealSnapshots deals) => [.. model.Predict(deals, deals.AllRows).Select(value => (Estimate?)value)];

    public void Dispose()
    {
    }
}

/// <summary>The published model of when deals end.</summary>
internal sealed class KeptTimeModel(long id, TimeModel model) : ITimeToCloseModel
{
    public long? Id => id;

    public DaysToClose[] Days(DealSnapshots deals) => model.Predict(deals, deals.AllRows);

    public void Dispose()
    {
    }
}

/// <summary>The published model of which deals will be lost or fall silent.</summary>
internal sealed class KeptRiskModel(long id, RiskModel model) : IRiskModel
{
    public long? Id => id;

    public double[] Risks(DealSnapshots deals, double[] probabilities) => model.Predict(deals, deals.AllRows);

    public void Dispose()
    {
    }
}

/// <summary>Without a model only the deal's own estimated_value tells what it brings.</summary>
internal sealed class NoValueModel : IDealValueModel
{
    public long? Id => null;

    public Estimate?[] Values(DealSnapshots deals) => new Estimate?[deals.Moments.Count];

    public void Dispose()
    {
    }
}

/// <summary>Without a model nothing is said about when deals end.</summary>
internal sealed class NoTimeModel : ITimeToCloseModel
{
    public long? Id => null;

    public DaysToClose[] Days(DealSnapshots deals) => new DaysToClose[deals.Moments.Count];

    public void Dispose()
    {
    }
}

/// <summary>Without a model the risk is that of losing.</summary>
internal sealed class LossRisk : IRiskModel
{
    public long? Id => null;

    public double[] Risks(DealSnapshots deals, double[] probabilities) => [.. probabilities.Select(p => 1 - p)];

    public void Dispose()
    {
    }
}
