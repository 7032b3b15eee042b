using System.Globalization;
using Npgsql;
using SalesTasks.Database;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Predictions.Predicting;

/// <summary>How deals ended that were met in one stage from one source.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Source">The lead's source.</param>
/// <param name="Days">Days they spent in it.</param>
/// <param name="WonDays">Days of those that were won in the end.</param>
/// <param name="Deals">How many they are.</param>
internal sealed record OutcomeCell(string Stage, string Source, double Days, double WonDays, long Deals);

/// <summary>A win rate and how much is behind it.</summary>
/// <param name="Rate">Between 0 and 1.</param>
/// <param name="Weight">Deals, those taken for granted beforehand included.</param>
internal readonly record struct OutcomeRate(double Rate, double Weight)
{
    /// <summary>Standard error of the log-odds.</summary>
    public double Error => 1 / Math.Sqrt(Weight * Rate * (1 - Rate));
}

/// <summary>
/// Win rates by stage and source where no model answers. Each is pulled to what is known without it, the more the fewer deals it has: a source's to
/// its stage's, a stage's to what is taken for granted beforehand. That is a probability of 20 %, as deals have by default, for the first stage,
/// and odds half as high again for each further one.
/// </summary>
internal sealed class OutcomeRates
{
    private const double Assumed = 0.2;
    private const double OddsPerStage = 1.5;

    /// <summary>Deals at the assumed rate that were there beforehand.</summary>
    private const double Pull = 20;

    private static readonly string[] s_stages = ["qualified", "contacted", "meeting_scheduled", "proposal_sent", "negotiating"];

    private readonly Dictionary<string, OutcomeRate> _stages;
    private readonly Dictionary<(string Stage, string Source), OutcomeRate> _sources;

    public OutcomeRates(IReadOnlyCollection<OutcomeCell> cells)
    {
        _stages = s_stages.Select((stage, place) => (stage, place)).ToDictionary(
            s => s.stage,
            s => Pulled(
                [.. cells.Where(c => c.Stage == s.stage)],
                Logits.ToProbability(Logits.Of(Assumed) + (s.place * Math.Log(OddsPerStage)))),
            StringComparer.Ordinal);
        _sources = cells.Where(c => _stages.ContainsKey(c.Stage)).ToDictionary(c => (c.Stage, c.Source), c => Pulled([c], _stages[c.Stage].Rate));
    }

    public static async Task<OutcomeRates> ReadAsync(NpgsqlConnection connection, DateTimeOffset asOf, CancellationToken cancellationToken) =>
        new(await connection.QueryStatementAsync(
            "predictions/outcome_rates",
            [("as_of", asOf)],
            row => new OutcomeCell(row.GetString(0), row.GetString(1), row.GetDouble(2), row.GetDouble(3), row.GetInt64(4)),
            cancellationToken));

    /// <summary>The rate of all deals of a stage.</summary>
    public OutcomeRate Of(string stage) => _stages[stage];

    /// <summary>The rate of a stage's deals from a source.</summary>
    public OutcomeRate Of(string stage, string source) => _sources.TryGetValue((stage, source), out var rate) ? rate : _stages[stage];

    /// <summary>All rates as short text, in whole percents: a rate that moves by less makes no deal's prediction another.</summary>
    public string Text => string.Join(' ', _sources.Select(s => Line($"{s.Key.Stage}/{s.Key.Source}", s.Value))
        .Concat(_stages.Select(s => Line(s.Key, s.Value))).Order(StringComparer.Ordinal));

    private static string Line(string name, OutcomeRate rate) => string.Create(CultureInfo.InvariantCulture, $"{name}={rate.Rate:0.00}");

    private static OutcomeRate Pulled(OutcomeCell[] cells, double parent)
    {
        var deals = cells.Sum(c => (double)c.Deals);
        var days = cells.Sum(c => c.Days);
        var rate = days > 0 ? cells.Sum(c => c.WonDays) / days : parent;
        return new OutcomeRate(((deals * rate) + (Pull * parent)) / (deals + Pull), deals + Pull);
    }
}

/// <summary>The rates by stage and source as a model: the base is the first stage's assumed rate.</summary>
internal sealed class PriorWin(OutcomeRates rates) : IWinModel
{
    public long? Id => null;

    public string Version { get; } = "prior " + rates.Text;

    public IReadOnlyList<string> Columns { get; } = [DealSnapshots.StageColumn, DealSnapshots.SourceColumn];

    public (double[] LogOdds, double[] Errors) Predict(DealSnapshots deals)
    {
        var answers = Cells(deals).Select(c => rates.Of(c.Stage, c.Source)).ToList();
        return ([.. answers.Select(a => Logits.Of(a.Rate))], [.. answers.Select(a => a.Error)]);
    }

    public double[][] Explain(DealSnapshots deals)
    {
        var start = Logits.Of(rates.Of("qualified").Rate);
        return [.. Cells(deals).Select(c =>
        {
            var stage = Logits.Of(rates.Of(c.Stage).Rate);
            return new[] { stage - start, Logits.Of(rates.Of(c.Stage, c.Source).Rate) - stage, start };
        })];
    }

    public void Dispose()
    {
    }

    private static IEnumerable<(string Stage, string Source)> Cells(DealSnapshots deals) =>
        deals.Texts(DealSnapshots.StageColumn).Zip(deals.Texts(DealSnapshots.SourceColumn), (stage, source) => (stage!, source!));
}
