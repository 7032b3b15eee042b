namespace SalesTasks.Timing;

/// <summary>What one arm reached: each lead counts once, with the share of its attempts that were answered.</summary>
/// <param name="Leads">How many.</param>
/// <param name="Sum">Of their shares.</param>
/// <param name="Squares">Sum of the squared shares.</param>
internal readonly record struct Arm(long Leads, double Sum, double Squares)
{
    public double Rate => Leads == 0 ? 0 : Sum / Leads;
}

/// <summary>
/// How much better treated leads answer than those of the control, with 90 % intervals. Each arm gets one lead that always answers and one that
/// never does (Agresti and Caffo 2000), so that intervals of small numbers keep their width.
/// </summary>
/// <param name="Treated">Leads that get learned hours.</param>
/// <param name="Control">Leads that keep plain windows.</param>
/// <param name="Difference">Treated − control.</param>
/// <param name="Ratio">Treated ÷ control, interval by the delta method on its logarithm; null without a control that answers.</param>
internal sealed record Lift(Arm Treated, Arm Control, Estimate Difference, Estimate? Ratio)
{
    /// <summary>Leads that each arm needs before anything is said.</summary>
    public const int FewestLeads = 30;

    /// <summary>Leads of the control from which on an estimate of 0 or less ends the use of learned hours.</summary>
    public const int EnoughLeads = 200;

    /// <summary>Null while an arm has too few leads.</summary>
    public static Lift? Of(Arm treated, Arm control)
    {
        if (Math.Min(treated.Leads, control.Leads) < FewestLeads)
        {
            return null;
        }

        var (t, tVariance) = Adjusted(treated);
        var (c, cVariance) = Adjusted(control);
        var half = Numbers.Z90 * Math.Sqrt(tVariance + cVariance);
        var spread = Numbers.Z90 * Math.Sqrt((tVariance / (t * t)) + (cVariance / (c * c)));
        return new Lift(
            treated, control, new Estimate(treated.Rate - control.Rate, t - c - half, t - c + half),
            control.Sum > 0 ? new Estimate(treated.Rate / control.Rate, t / c * Math.Exp(-spread), t / c * Math.Exp(spread)) : null);
    }

    /// <summary>Whether plain windows do as well or better: credibly, or by the estimate once there is enough to go by.</summary>
    public bool IsNotPositive => Difference.High < 0 || (Difference.Value <= 0 && Math.Min(Treated.Leads, Control.Leads) >= EnoughLeads);

    private static (double Mean, double Variance) Adjusted(Arm arm)
    {
        var n = arm.Leads + 2.0;
        var mean = (arm.Sum + 1) / n;
        return (mean, Math.Max((arm.Squares + 1) - (n * mean * mean), 0) / (n - 1) / n);
    }
}

/// <summary>A value with its 90 % interval.</summary>
internal readonly record struct Estimate(double Value, double Low, double High);
