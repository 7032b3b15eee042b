using System.Globalization;
using System.Text.Json;
using SalesTasks.Database;
using SalesTasks.Predictions.Learning;

namespace SalesTasks.Predictions.Predicting;

/// <summary>What is stored about a deal: a row of deal_predictions.</summary>
internal sealed record Prediction
{
    public required OpenDeal Deal { get; init; }

    /// <summary>model, prior or endpoint.</summary>
    public required string AnsweredBy { get; init; }

    public required double Probability { get; init; }

    public double LogOdds { get; init; }

    public double? BaseLogOdds { get; init; }

    public double? OtherLogOdds { get; init; }

    /// <summary>JSON: the largest contributions as [feature, value, log-odds].</summary>
    public string Contributions { get; init; } = "[]";

    public Estimate? Interval { get; init; }

    public required double Risk { get; init; }

    public required double Confidence { get; init; }

    public Estimate? Value { get; init; }

    public double? ExpectedValue { get; init; }

    public DaysToClose Days { get; init; }

    public IReadOnlyList<Recommendation> Recommendations { get; init; } = [];

    public long? WinModel { get; init; }

    public long? ValueModel { get; init; }

    public long? TimeModel { get; init; }

    public long? RiskModel { get; init; }

    /// <summary>What of it was asked for, and so belongs to the deal's hash.</summary>
    public int Parts { get; init; }

    /// <summary>What sales_pipeline.probability_pct is to become; null: it is left alone.</summary>
    public int? ProbabilityPct { get; init; }

    public static Prediction[] From(DealBlock block, DealModels models)
    {
        var outlooks = models.Predict(block.Snapshots);
        var rules = new Recommendations(block.Snapshots.Table, models.Win.Columns);
        var contributions = new Contributions(block.Snapshots.Table, models.Win.Columns);
        var isPrior = models.Win.Id is null;
        return [.. outlooks.Select((outlook, row) =>
        {
            var deal = block.Deals[row];
            var (top, other) = contributions.Top(row, outlook);
            var win = outlook.Win;
            return new Prediction
            {
                Deal = deal,
                AnsweredBy = isPrior ? "prior" : "model",
                Probability = outlook.Probability,
                LogOdds = outlook.LogOdds,
                BaseLogOdds = outlook.Contributions[^1],
                OtherLogOdds = other,
                Contributions = top,
                Interval = win,
                Risk = outlook.Risk,
                // Rates say the same of every deal of a stage: however sure they are, half of that.
                Confidence = Math.Round((1 - (win.High - win.Low)) * (isPrior ? 0.5 : 1), 4),
                Value = outlook.Value,
                ExpectedValue = (deal.EstimatedValue ?? outlook.Value?.Middle) * outlook.Probability,
                Days = outlook.Days,
                Recommendations = rules.For(row, outlook, deal.IntervalDays),
                WinModel = models.Win.Id,
                ValueModel = models.Value.Id,
                TimeModel = models.Time.Id,
                RiskModel = models.Risk.Id,
            };
        })];
    }

    /// <summary>Writes the row in the order of copy_predictions.sql.</summary>
    public void Write(BinaryRow row, DateTimeOffset at)
    {
        row.Write(Deal.Id);
        row.Write(at);
        row.Write(Deal.Hash);
        row.Write((short)Parts);
        row.Write(AnsweredBy);
        row.Write(WinModel);
        row.Write(ValueModel);
        row.Write(TimeModel);
        row.Write(RiskModel);
        row.Write(LogOdds);
        row.Write(BaseLogOdds);
        row.Write(OtherLogOdds);
        row.Write(Contributions);
        row.Write(Probability);
        row.Write(Interval?.Low);
        row.Write(Interval?.High);
        row.Write(Risk);
        row.Write(Confidence);
        row.Write(Value?.Middle);
        row.Write(Value?.Low);
        row.Write(Value?.High);
        row.Write(ExpectedValue);
        row.Write(Days.P10);
        row.Write(Days.P50);
        row.Write(Days.P90);
        row.Write(JsonSerializer.Serialize(Recommendations.Select(r => new[] { r.Code, r.Reason })));
        row.Write(ProbabilityPct);
    }
}

/// <summary>The largest contributions of each deal as JSON.</summary>
internal sealed class Contributions(DataTable table, IReadOnlyList<string> columns)
{
    private const int Most = 6;

    private readonly Column[] _columns = [.. columns.Select(name => table.Columns.Single(c => c.Name == name))];

    /// <summary>JSON of the largest, rounded to 1e-6; and what is left over, so that base, these and it add up to the log-odds.</summary>
    public (string Top, double Other) Top(int row, Outlook outlook)
    {
        var order = Enumerable.Range(0, columns.Count).OrderByDescending(c => Math.Abs(outlook.Contributions[c])).ThenBy(c => c).Take(Most).ToArray();
        var other = outlook.LogOdds - outlook.Contributions[^1];
        var buffer = new System.Text.StringBuilder(256).Append('[');
        foreach (var c in order)
        {
            var rounded = Math.Round(outlook.Contributions[c], 6);
            other -= rounded;
            buffer.Append(buffer.Length > 1 ? "," : "").Append("[\"").Append(columns[c]).Append("\",").Append(Value(_columns[c], row)).Append(',')
                .Append(rounded.ToString("0.######", CultureInfo.InvariantCulture)).Append(']');
        }

        return (buffer.Append(']').ToString(), other);
    }

    private static string Value(Column column, int row) => column switch
    {
        CategoryColumn category => category.Codes[row] < 0 ? "null" : JsonSerializer.Serialize(category.Levels[category.Codes[row]]),
        NumberColumn number => float.IsNaN(number.Values[row]) ? "null" : number.Values[row].ToString("0.##", CultureInfo.InvariantCulture),
        _ => "null",
    };
}
