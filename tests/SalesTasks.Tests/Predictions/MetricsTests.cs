using SalesTasks.Predictions.Learning;

namespace SalesTasks.Tests.Predictions;

/// <summary>The measures, against values worked out by hand.</summary>
public sealed class MetricsTests
{
    [Fact]
    public void Of_HandWorkedRows_HasTheKnownValues()
    {
        var metrics = Metrics.Of([0.9, 0.8, 0.35, 0.1], [true, false, true, false]);

        // Pairs ranked right: 0.9 before both, 0.35 before 0.1.
        Assert.Equal(0.75, metrics.Auc, 12);
        Assert.Equal((1 + (2 / 3.0)) / 2, metrics.AveragePrecision, 12);
        Assert.Equal(-(Math.Log(0.9) + Math.Log(0.2) + Math.Log(0.35) + Math.Log(0.9)) / 4, metrics.LogLoss, 12);
        Assert.Equal((0.01 + 0.64 + 0.4225 + 0.01) / 4, metrics.Brier, 12);
        // Four bins of one row each.
        Assert.Equal((0.1 + 0.8 + 0.65 + 0.1) / 4, metrics.Ece, 12);
    }

    [Fact]
    public void Of_OneProbabilityForAll_IsTheBaseRatesWorth()
    {
        var metrics = Metrics.Of([0.25, 0.25, 0.25, 0.25], [false, true, false, false]);

        Assert.Equal((0.5, 0.25, 0), (metrics.Auc, metrics.AveragePrecision, metrics.Ece));
    }

    [Fact]
    public void Of_OneClass_HasNoAuc()
    {
        var metrics = Metrics.Of([0.2, 0.4], [false, false]);

        Assert.True(double.IsNaN(metrics.Auc));
        Assert.Equal(-(Math.Log(0.8) + Math.Log(0.6)) / 2, metrics.LogLoss, 12);
    }

    [Fact]
    public void Of_CertainAndWrong_CostsMuchAndNotInfinitelyMuch() =>
        Assert.InRange(Metrics.Of([1.0, 0.0], [false, true]).LogLoss, 30, 40);

    [Fact]
    public void Fit_ShiftedAndStretchedLogits_AreCalibrated()
    {
        // Truth: log-odds half of what is said, and one lower.
        var random = new Random(5);
        var logits = Enumerable.Range(0, 20_000).Select(_ => (random.NextDouble() * 8) - 4).ToArray();
        var labels = logits.Select(l => random.NextDouble() < Logits.ToProbability((0.5 * l) - 1)).ToArray();

        var calibration = Calibration.Fit(logits, labels);

        Assert.Equal(0.5, calibration.Slope, 0.05);
        Assert.Equal(-1, calibration.Shift, 0.08);
        Assert.InRange(Metrics.Of(logits.Select(l => Logits.ToProbability(calibration.Apply(l))).ToArray(), labels).Ece, 0, 0.015);
    }

    [Fact]
    public void Fit_RankingTheWrongWay_SaysTheBaseRate()
    {
        var logits = Enumerable.Range(0, 1000).Select(i => i < 500 ? 3.0 : -3.0).ToArray();
        var labels = Enumerable.Range(0, 1000).Select(i => i >= 500).ToArray();

        Assert.Equal(0, Calibration.Fit(logits, labels).Slope);
    }

    [Fact]
    public void FitOverTime_DriftThatTurnsAround_IsLeftAlone()
    {
        var random = new Random(6);
        var logits = Enumerable.Range(0, 4000).Select(_ => (random.NextDouble() * 4) - 2).ToArray();
        var labels = logits.Select((l, i) => random.NextDouble() < Logits.ToProbability(l + (i < 2000 ? 0.5 : -0.5))).ToArray();
        var steady = logits.Select(l => random.NextDouble() < Logits.ToProbability((2 * l) - 0.5)).ToArray();

        Assert.Equal(Calibration.None, Calibration.FitOverTime(logits, labels));
        Assert.Equal(2, Calibration.FitOverTime(logits, steady).Slope, 0.2);
    }

    [Fact]
    public void LogisticRegression_KnownWeights_AreFoundAndTheGradientVanishes()
    {
        var random = new Random(7);
        var rows = new SparseRows(3);
        var labels = new List<bool>();
        for (var i = 0; i < 30_000; i++)
        {
            var x = random.NextDouble() - 0.5;
            var flag = random.NextDouble() < 0.3;
            rows.Add(0, (float)x);
            if (flag)
            {
                rows.Add(1, 1);
            }

            rows.EndRow();
            labels.Add(random.NextDouble() < Logits.ToProbability((3 * x) - (flag ? 1 : 0) + 0.5));
        }

        var fit = LogisticRegression.Fit(rows, [.. labels], ridge: 1, start: null, TestContext.Current.CancellationToken);

        Assert.Equal(3, fit.Weights[0], 0.15);
        Assert.Equal(-1, fit.Weights[1], 0.1);
        Assert.Equal(0, fit.Weights[2]);
        Assert.Equal(0.5, fit.Intercept, 0.05);
        var gradient = Enumerable.Range(0, labels.Count).Sum(i => Logits.ToProbability(fit.Logit(rows, i)) - (labels[i] ? 1 : 0));
        Assert.InRange(gradient / labels.Count, -1e-3, 1e-3);
    }
}
