namespace SalesTasks.Demo;

/// <summary>
/// What a chain of random numbers is for. Chains are independent, so that a change to one leaves the others' rows as they were.
/// </summary>
internal enum SampleChain
{
    Rep = 1,
    Company = 2,
    Lead = 3,
    Deal = 4,
    Tasks = 5,
    Campaigns = 6,
    Text = 7,
}

/// <summary>
/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). Written here, because the numbers of
/// <see cref="Random"/> may change between .NET versions and the sample must not.
/// </summary>
internal sealed class SampleRandom
{
    private ulong _state;

    /// <summary>The chain of one thing: the same three numbers give the same chain, on every machine.</summary>
    public SampleRandom(long seed, SampleChain chain, long index) =>
        _state = Mix(Mix(Mix(unchecked((ulong)seed)) + (ulong)chain) + unchecked((ulong)index));

    public ulong Next()
    {
        _state = unchecked(_state + 0x9E3779B97F4A7C15);
        return Mix(_state);
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>Uniform in [<paramref name="from"/>, <paramref name="to"/>).</summary>
    public double Between(double from, double to) => from + ((to - from) * Unit());

    /// <summary>Uniform whole number in [0, <paramref name="count"/>).</summary>
    public int Below(int count) => (int)Math.BigMul(Next(), (ulong)count, out _);

    public bool Chance(double probability) => Unit() < probability;

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    /// <summary>One of the items with a probability in proportion to its weight.</summary>
    public T Pick<T>(IReadOnlyList<T> items, Func<T, double> weight)
    {
        var left = Unit() * items.Sum(weight);
        foreach (var item in items)
        {
            left -= weight(item);
            if (left < 0)
            {
                return item;
            }
        }

        return items[^1];
    }

    /// <summary>Standard normal (Box and Muller, 1958).</summary>
    public double Normal() => Math.Sqrt(-2 * Math.Log(1 - Unit())) * Math.Cos(2 * Math.PI * Unit());

    /// <summary>Log-normal with this median; <paramref name="sigma"/> is the standard deviation of the logarithm.</summary>
    public double LogNormal(double median, double sigma) => median * Math.Exp(sigma * Normal());

    /// <summary>Weibull with survival exp(−(x / scale)^shape).</summary>
    public double Weibull(double scale, double shape) => scale * Math.Pow(-Math.Log(1 - Unit()), 1 / shape);

    /// <summary>Poisson (Knuth's method, for small means).</summary>
    public int Poisson(double mean)
    {
        var limit = Math.Exp(-mean);
        var count = 0;
        for (var product = Unit(); product > limit; product *= Unit())
        {
            count++;
        }

        return count;
    }

    private static ulong Mix(ulong z)
    {
        unchecked
        {
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}
