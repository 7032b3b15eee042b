namespace SalesTasks.Impact;

/// <summary>What can be said about a difference.</summary>
internal enum Verdict
{
    /// <summary>Too few leads to say anything.</summary>
    TooSmall,

    /// <summary>The interval contains "no difference".</summary>
    Unclear,

    /// <summary>The automation does better than the holdout.</summary>
    Better,

    /// <summary>The automation does worse.</summary>
    Worse,
}

/// <summary>A number with its 90 % interval.</summary>
internal sealed record Interval(double Value, double Low, double High);

/// <summary>One indicator in both groups and the difference the automation makes.</summary>
/// <param name="Indicator">What is compared.</param>
/// <param name="Treated">Treated leads, as observed.</param>
/// <param name="Holdout">Held-out leads, as observed; null where there are none.</param>
/// <param name="Difference">Treated − holdout, adjusted for what was known before assignment; null where there are too few leads.</param>
/// <param name="Unadjusted">The same without adjustment.</param>
/// <param name="Ratio">Treated ÷ holdout; null where the holdout may be 0.</param>
/// <param name="Detectable">The smallest difference that a sample of this size finds in 80 % of experiments.</param>
/// <param name="Verdict">What the interval says.</param>
internal sealed record IndicatorEstimate(
    Indicator Indicator, double? Treated, double? Holdout, Interval? Difference, Interval? Unadjusted, Interval? Ratio, double? Detectable, Verdict Verdict);

/// <summary>
/// Compares two random groups from their moments alone. All intervals are 90 % ones. In short:
/// <list type="number">
/// <item>an indicator a ÷ b of a group has the variance of its linearised lead (a − R b) ÷ mean(b) (delta method; Deng, Knoblich, Lu 2018,
/// doi:10.1145/3219819.3219919); b = 1 makes it a mean;</item>
/// <item>the part of it that the covariates explain is taken out of both groups with one slope (CUPED; Deng, Xu, Kohavi, Walker 2013,
/// doi:10.1145/2433396.2433413): assignment cannot have changed the covariates, so this removes noise and no effect;</item>
/// <item>the limits of each group are Wilson's for shares, at the number of leads that would have this variance, and Student's else;</item>
/// <item>the limits of the difference and of the ratio come from those of the groups (Newcombe 1998, method 10; Donner and Zou 2012,
/// doi:10.1177/0962280210383082), which holds for few and for rare cases where the textbook formula does not.</item>
/// </list>
/// </summary>
internal static class Estimator
{
    /// <summary>Two-sided 90 %.</summary>
    public const double Z = 1.6448536269514722;

    /// <summary>Two-sided 90 % and 80 % power: 1.645 + 0.842.</summary>
    private const double ZOfPower = 2.4864748605243863;

    /// <summary>Leads (deals closed, tasks due) that each group needs before anything is said.</summary>
    private const int MinimumUnits = 20;

    /// <summary>Won deals that each group needs before revenue is compared: a few large deals say nothing.</summary>
    private const int MinimumWon = 10;

    /// <summary>Leads that each group needs before the covariates' slope can be trusted.</summary>
    private const int MinimumForAdjustment = 50;

    public static Moments NewMoments() => new(Enum.GetValues<Outcome>().Length);

    public static IndicatorEstimate Estimate(Indicator indicator, Moments treated, Moments holdout)
    {
        var estimate = new IndicatorEstimate(
            indicator, Value(indicator, treated), Value(indicator, holdout), null, null, null, null, Verdict.TooSmall);
        if (Math.Min(Units(indicator, treated), Units(indicator, holdout)) < MinimumUnits
            || Math.Min(treated.Count, holdout.Count) < MinimumUnits
            || (indicator.Numerator is Outcome.Revenue && Math.Min(treated.Sum((int)Outcome.Won), holdout.Sum((int)Outcome.Won)) < MinimumWon - 0.5))
        {
            return estimate;
        }

        double[] none = new double[Indicator.Covariates.Count];
        var plain = (Treated: Limits(indicator, treated, holdout, none), Holdout: Limits(indicator, holdout, treated, none));
        var slope = Math.Min(treated.Count, holdout.Count) >= MinimumForAdjustment ? Slope(indicator, treated, holdout) : none;
        var (t, h) = (Limits(indicator, treated, holdout, slope), Limits(indicator, holdout, treated, slope));
        var difference = Difference(t, h);
        return estimate with
        {
            Difference = difference,
            Unadjusted = Difference(plain.Treated, plain.Holdout),
            Ratio = Ratio(t, h),
            Detectable = (difference.High - difference.Low) / 2 / Z * ZOfPower,
            Verdict = difference.Low > 0 ? (indicator.HigherIsBetter ? Verdict.Better : Verdict.Worse)
                : difference.High < 0 ? (indicator.HigherIsBetter ? Verdict.Worse : Verdict.Better)
                : Verdict.Unclear,
        };
    }

    /// <summary>True where the sizes of the groups are what chance makes of the share; false once in 1,000 where all is well.</summary>
    public static bool IsBalanced(long treated, long holdout, double share)
    {
        var all = (double)(treated + holdout);
        return Math.Abs(holdout - (all * share)) <= (3.29 * Math.Sqrt(all * share * (1 - share))) + 0.5;
    }

    private static double? Value(Indicator indicator, Moments arm) =>
        Units(indicator, arm) > 0 ? arm.Sum((int)indicator.Numerator) / Units(indicator, arm) : null;

    private static double Units(Indicator indicator, Moments arm) => indicator.Denominator is { } b ? Math.Round(arm.Sum((int)b)) : arm.Count;

    /// <summary>Covariance of the linearised indicator with a column.</summary>
    private static double Linear(Indicator indicator, Moments arm, int column) =>
        indicator.Denominator is { } b
            ? (arm.Covariance((int)indicator.Numerator, column) - (Value(indicator, arm)!.Value * arm.Covariance((int)b, column))) / arm.Mean((int)b)
            : arm.Covariance((int)indicator.Numerator, column);

    /// <summary>Variance of the linearised indicator.</summary>
    private static double Variance(Indicator indicator, Moments arm) =>
        indicator.Denominator is { } b
            ? (Linear(indicator, arm, (int)indicator.Numerator) - (Value(indicator, arm)!.Value * Linear(indicator, arm, (int)b))) / arm.Mean((int)b)
            : Linear(indicator, arm, (int)indicator.Numerator);

    /// <summary>Least squares within the groups. A covariate that says nothing beside the others gets 0.</summary>
    private static double[] Slope(Indicator indicator, Moments treated, Moments holdout)
    {
        var size = Indicator.Covariates.Count;
        var matrix = new double[size, size + 1];
        Moments[] arms = [treated, holdout];
        for (var i = 0; i < size; i++)
        {
            var x = (int)Indicator.Covariates[i];
            for (var j = 0; j < size; j++)
            {
                matrix[i, j] = arms.Sum(arm => (arm.Count - 1) * arm.Covariance(x, (int)Indicator.Covariates[j]));
            }

            matrix[i, size] = arms.Sum(arm => (arm.Count - 1) * Linear(indicator, arm, x));
        }

        return Solve(matrix, size);
    }

    /// <summary>Gauss and Jordan on a symmetric matrix; rows whose pivot is nothing but rounding are left out.</summary>
    private static double[] Solve(double[,] matrix, int size)
    {
        var scale = Enumerable.Range(0, size).Select(i => matrix[i, i]).ToArray();
        var kept = new bool[size];
        for (var pivot = 0; pivot < size; pivot++)
        {
            if (matrix[pivot, pivot] <= 1e-9 * scale[pivot])
            {
                continue;
            }

            kept[pivot] = true;
            for (var row = 0; row < size; row++)
            {
                if (row != pivot)
                {
                    var factor = matrix[row, pivot] / matrix[pivot, pivot];
                    for (var column = 0; column <= size; column++)
                    {
                        matrix[row, column] -= factor * matrix[pivot, column];
                    }
                }
            }
        }

        return [.. Enumerable.Range(0, size).Select(i => kept[i] ? matrix[i, size] / matrix[i, i] : 0)];
    }

    /// <summary>The indicator of a group as if its covariates had the mean of both groups.</summary>
    private static Interval Limits(Indicator indicator, Moments arm, Moments other, double[] slope)
    {
        var value = Value(indicator, arm)!.Value;
        var variance = Variance(indicator, arm);
        var adjusted = value;
        for (var i = 0; i < slope.Length; i++)
        {
            var x = (int)Indicator.Covariates[i];
            // Mean of both groups minus that of this one.
            adjusted += slope[i] * (other.Mean(x) - arm.Mean(x)) * other.Count / (arm.Count + other.Count);
            variance -= 2 * slope[i] * Linear(indicator, arm, x);
            for (var j = 0; j < slope.Length; j++)
            {
                variance += slope[i] * slope[j] * arm.Covariance(x, (int)Indicator.Covariates[j]);
            }
        }

        variance = Math.Max(0, variance) / arm.Count;
        if (!indicator.IsShare)
        {
            var reach = StudentQuantile(arm.Count - 1) * Math.Sqrt(variance);
            return new Interval(adjusted, adjusted - reach, adjusted + reach);
        }

        var inner = value * (1 - value);
        // n and not n − 1: without adjustment, a plain share has as many leads as it has.
        var number = inner > 0 && variance > 0 ? inner / variance * arm.Count / (arm.Count - 1) : Units(indicator, arm);
        return Wilson(Math.Clamp(adjusted, 0, 1), number);
    }

    /// <summary>Wilson 1927, doi:10.1080/01621459.1927.10502953.</summary>
    private static Interval Wilson(double share, double number)
    {
        var (z2, centre) = (Z * Z, share + (Z * Z / (2 * number)));
        var reach = Z * Math.Sqrt((share * (1 - share) / number) + (z2 / (4 * number * number)));
        return new Interval(share, Math.Max(0, (centre - reach) / (1 + (z2 / number))), Math.Min(1, (centre + reach) / (1 + (z2 / number))));
    }

    /// <summary>The 95 % point of Student's distribution, to 0.001 from 19 degrees of freedom on (Cornish and Fisher).</summary>
    private static double StudentQuantile(long degrees)
    {
        var (z3, z5) = (Z * Z * Z, Z * Z * Z * Z * Z);
        return Z + ((z3 + Z) / (4 * degrees)) + (((5 * z5) + (16 * z3) + (3 * Z)) / (96.0 * degrees * degrees));
    }

    private static Interval Difference(Interval t, Interval h)
    {
        var difference = t.Value - h.Value;
        return new Interval(
            difference,
            difference - double.Hypot(t.Value - t.Low, h.High - h.Value),
            difference + double.Hypot(t.High - t.Value, h.Value - h.Low));
    }

    /// <summary>Null where 0 is among what the holdout may be: a ratio to that has no upper limit.</summary>
    private static Interval? Ratio(Interval t, Interval h)
    {
        if (h.Low <= 0 || t.Low < 0)
        {
            return null;
        }

        var product = t.Value * h.Value;
        double Limit(double of, double by, int sign) =>
            (product + (sign * Math.Sqrt(Math.Max(0, (product * product) - (of * by * ((2 * t.Value) - of) * ((2 * h.Value) - by))))))
            / (by * ((2 * h.Value) - by));
        return (2 * h.Value) - h.High <= 0 ? null : new Interval(t.Value / h.Value, Limit(t.Low, h.High, -1), Limit(t.High, h.Low, 1));
    }
}
