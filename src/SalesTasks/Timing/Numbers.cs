namespace SalesTasks.Timing;

/// <summary>The few special functions and random numbers that the model needs.</summary>
internal static class Numbers
{
    /// <summary>Two-sided 90 %, and one-sided 95 %, of the standard normal.</summary>
    public const double Z90 = 1.6448536;

    public static double Logit(double probability) => Math.Log(probability / (1 - probability));

    public static double Logistic(double logit) => 1 / (1 + Math.Exp(-logit));

    /// <summary>ψ by its recurrence and asymptotic series (Abramowitz and Stegun 6.3.18).</summary>
    public static double Digamma(double x)
    {
        var sum = 0.0;
        for (; x < 8; x++)
        {
            sum -= 1 / x;
        }

        var r = 1 / (x * x);
        return sum + Math.Log(x) - (0.5 / x) - (r * ((1.0 / 12) - (r * ((1.0 / 120) - (r / 252)))));
    }

    /// <summary>ψ′ by its recurrence and asymptotic series (Abramowitz and Stegun 6.4.12).</summary>
    public static double Trigamma(double x)
    {
        var sum = 0.0;
        for (; x < 8; x++)
        {
            sum += 1 / (x * x);
        }

        var r = 1 / (x * x);
        return sum + (1 / x) + (r / 2) + (r / x * ((1.0 / 6) - (r * ((1.0 / 30) - (r / 42)))));
    }

    /// <summary>Probability that chi-square of that many degrees of freedom is greater, by Wilson and Hilferty's cube root.</summary>
    public static double ChiSquareTail(double value, double degrees)
    {
        if (degrees <= 0)
        {
            return 1;
        }

        var spread = 2 / (9 * degrees);
        return NormalTail((Math.Cbrt(value / degrees) - (1 - spread)) / Math.Sqrt(spread));
    }

    /// <summary>Probability that a standard normal is greater (Abramowitz and Stegun 7.1.26; error below 2·10⁻⁷).</summary>
    public static double NormalTail(double z)
    {
        if (z < 0)
        {
            return 1 - NormalTail(-z);
        }

        var t = 1 / (1 + (0.3275911 * z / Math.Sqrt(2)));
        var polynomial = t * (0.254829592 + (t * (-0.284496736 + (t * (1.421413741 + (t * (-1.453152027 + (t * 1.061405429))))))));
        return 0.5 * polynomial * Math.Exp(-z * z / 2);
    }

    /// <summary>Gamma with this shape and scale 1 (Marsaglia and Tsang 2000).</summary>
    public static double Gamma(Random random, double shape)
    {
        if (shape < 1)
        {
            return Gamma(random, shape + 1) * Math.Pow(1 - random.NextDouble(), 1 / shape);
        }

        var d = shape - (1.0 / 3);
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            var x = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            var v = Math.Pow(1 + (c * x), 3);
            if (v > 0 && Math.Log(1 - random.NextDouble()) < (x * x / 2) + d - (d * v) + (d * Math.Log(v)))
            {
                return d * v;
            }
        }
    }

    public static double Beta(Random random, double a, double b)
    {
        var x = Gamma(random, a);
        return x / (x + Gamma(random, b));
    }
}
