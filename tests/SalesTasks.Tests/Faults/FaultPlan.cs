using System.Globalization;

namespace SalesTasks.Tests.Faults;

/// <summary>Which faults to try: for a job, so many of all there are, in an order that its seed determines.</summary>
internal static class FaultPlan
{
    /// <summary>How many faults a job gets: a number, or <c>all</c>.</summary>
    public const string TrialsVariable = "SALES_FAULT_TRIALS";

    /// <summary>Another number is another order, and another choice.</summary>
    public const string SeedVariable = "SALES_FAULT_SEED";

    private const int UsualTrials = 100;

    private static readonly FaultKind[] s_kinds =
    [
        FaultKind.RequestLost, FaultKind.AnswerLost, FaultKind.Gone, FaultKind.GoneAfter, FaultKind.Terminated,
    ];

    public static int Seed { get; } = int.TryParse(Environment.GetEnvironmentVariable(SeedVariable), CultureInfo.InvariantCulture, out var seed) ? seed : 1;

    /// <summary>Whether everything is to be tried.</summary>
    public static bool Everything => Trials == int.MaxValue;

    private static int Trials { get; } = Environment.GetEnvironmentVariable(TrialsVariable) switch
    {
        "all" => int.MaxValue,
        { Length: > 0 } text => int.Parse(text, CultureInfo.InvariantCulture),
        _ => UsualTrials,
    };

    /// <param name="job">Its name makes the choice another one for each job.</param>
    /// <param name="events">Of a run without a fault.</param>
    public static Fault[] Of(string job, int events)
    {
        var faults = Enumerable.Range(1, events).SelectMany(at =>
            s_kinds.Select(kind => new Fault(kind, at))
                .Concat(Fault.SqlStates.Select(state => new Fault(FaultKind.Error, at) { SqlState = state }))).ToArray();
        new Random(job.Aggregate(Seed, (hash, c) => unchecked((hash * 31) + c))).Shuffle(faults);
        return [.. faults.Take(Trials)];
    }

    /// <summary>Some of all, always the same for a job and a seed.</summary>
    public static T[] Choose<T>(string job, T[] all, int count)
    {
        var chosen = all.ToArray();
        new Random(job.Aggregate(Seed, (hash, c) => unchecked((hash * 31) + c))).Shuffle(chosen);
        return [.. chosen.Take(count)];
    }
}
