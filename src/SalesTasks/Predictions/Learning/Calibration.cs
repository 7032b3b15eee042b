namespace SalesTasks.Predictions.Learning;

/// <summary>
/// Platt scaling: log-odds become slope × log-odds + shift. Fitted on rows the model was not fitted on, with a pull towards leaving the
/// log-odds alone that a handful of rows cannot overcome.
/// </summary>
internal sealed record Calibration(double Slope, double Shift)
{
    /// <summary>Information, in the units of the likelihood's, that speaks for slope 1 and shift 0 beforehand.</summary>
    private const double Pull = 2.0;

    public static Calibration None { get; } = new(1, 0);

    public double Apply(double logit) => (Slope * logit) + Shift;

    /// <summary>
    /// Like <see cref="Fit"/>, for rows in the order of time: only where the calibration of the older half is a credible gain on the newer
    /// half. One period's drift is one observation, however many rows it has; often the next one goes the other way.
    /// </summary>
    public static Calibration FitOverTime(ReadOnlySpan<double> logits, ReadOnlySpan<bool> labels)
    {
        var half = labels.Length / 2;
        var older = Fit(logits[..half], labels[..half]);
        var gains = new double[labels.Length - half];
        for (var i = half; i < labels.Length; i++)
        {
            gains[i - half] = Logits.Loss(logits[i], labels[i]) - Logits.Loss(older.Apply(logits[i]), labels[i]);
        }

        return Gain.Of(gains).IsCredible ? Fit(logits, labels) : None;
    }

    /// <summary>The maximum of the pulled likelihood, by Newton's method on two numbers with steps halved where they overshoot.</summary>
    public static Calibration Fit(ReadOnlySpan<double> logits, ReadOnlySpan<bool> labels)
    {
        var current = None;
        var loss = current.Objective(logits, labels);
        for (var iteration = 0; iteration < 50; iteration++)
        {
            var (slope, shift) = current.Step(logits, labels);
            var next = new Calibration(current.Slope - slope, current.Shift - shift);
            var better = next.Objective(logits, labels);
            for (var halving = 0; better > loss && halving < 30; halving++)
            {
                (slope, shift) = (slope / 2, shift / 2);
                next = new Calibration(current.Slope - slope, current.Shift - shift);
                better = next.Objective(logits, labels);
            }

            if (!(better < loss))
            {
                break;
            }

            (current, loss) = (next, better);
            if (Math.Abs(slope) + Math.Abs(shift) < 1e-9)
            {
                break;
            }
        }

        // A negative slope would turn the ranking around: the model then says nothing.
        return current.Slope > 0 ? current : new Calibration(0, Logits.Of((labels.Count(true) + 0.5) / (labels.Length + 1)));
    }

    private double Objective(ReadOnlySpan<double> logits, ReadOnlySpan<bool> labels)
    {
        var sum = Pull / 2 * (((Slope - 1) * (Slope - 1)) + (Shift * Shift));
        for (var i = 0; i < labels.Length; i++)
        {
            sum += Logits.Loss(Apply(logits[i]), labels[i]);
        }

        return sum;
    }

    /// <summary>Inverse Hessian times gradient.</summary>
    private (double Slope, double Shift) Step(ReadOnlySpan<double> logits, ReadOnlySpan<bool> labels)
    {
        var gradientSlope = Pull * (Slope - 1);
        var gradientShift = Pull * Shift;
        var slopes = Pull;
        var shifts = Pull;
        var both = 0.0;
        for (var i = 0; i < labels.Length; i++)
        {
            var probability = Logits.ToProbability(Apply(logits[i]));
            var error = probability - (labels[i] ? 1 : 0);
            var weight = probability * (1 - probability);
            gradientSlope += error * logits[i];
            gradientShift += error;
            slopes += weight * logits[i] * logits[i];
            shifts += weight;
            both += weight * logits[i];
        }

        var determinant = (slopes * shifts) - (both * both);
        return (((shifts * gradientSlope) - (both * gradientShift)) / determinant, ((slopes * gradientShift) - (both * gradientSlope)) / determinant);
    }
}
