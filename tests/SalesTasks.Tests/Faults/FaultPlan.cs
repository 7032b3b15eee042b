using System.Globalization;

namespace SalesTasks.Tests.Faults;

/// <summary>Which faults to try: for a job, so many of all there are, in an order that its seed determines.</summary>
internal static class FaultPlan
{
    /// <summary>How many faults each job gets: a number, or <c>all</c>.</summary>
    public const string TrialsVariable = "SALES_FAULT_TRIALS";

    /// <summary>Another number is another order, and another choice.</summary>
    public const string SeedVariable = "SALES_FAULT_SEED";

    /// <summary>Only jobs with this in their name.</summary>
    public const string JobVariable = "SALES_FAULT_JOB";

    /// <summary>Over all jobs, so that the time does not grow with their number.</summary>
    private const int UsualTrials = 506;

    /// <summary>Faults that one database takes before it is to recover.</summary>
    private const int LongestChain = 6;

    /// <summary>Errors after which the program tries again by itself: such a run gets through, and there is nothing left for a further fault.</summary>
    private static readonly string[] s_triedAgain = ["40P01", "40001"];

    private static readonly FaultKind[] s_kinds =
    [
        FaultKind.RequestLost, FaultKind.AnswerLost, FaultKind.Gone, FaultKind.GoneAfter, FaultKind.Terminated,
    ];

    public static int Seed { get; } = int.TryParse(Environment.GetEnvironmentVariable(SeedVariable), CultureInfo.InvariantCulture, out var seed) ? seed : 1;

    /// <summary>The jobs to try.</summary>
    public static TheoryData<string> Jobs => [.. Scene.All.Select(scene => scene.Name)
        .Where(name => name.Contains(Environment.GetEnvironmentVariable(JobVariable) ?? "", StringComparison.Ordinal))];

    /// <summary>Whether everything is to be tried.</summary>
    public static bool Everything => Trials == int.MaxValue;

    private static int Trials { get; } = Environment.GetEnvironmentVariable(TrialsVariable) switch
    {
        "all" => int.MaxValue,
        { Length: > 0 } text => int.Parse(text, CultureInfo.InvariantCulture),
        _ => (UsualTrials + Scene.All.Count - 1) / Scene.All.Count,
    };

    /// <param name="job">Its name makes the choice another one for each job.</param>
    /// <param name="events">Of a run without a fault.</param>
    /// <returns>Chains: one run after the other on the same database, each with a fault.</returns>
    public static List<Fault[]> Of(string job, int events)
    {
        var faults = Enumerable.Range(1, events).SelectMany(at =>
            s_kinds.Select(kind => new Fault(kind, at))
                .Concat(Fault.SqlStates.Select(state => new Fault(FaultKind.Error, at) { SqlState = state }))).ToArray();
        new Random(job.Aggregate(Seed, (hash, c) => unchecked((hash * 31) + c))).Shuffle(faults);
        var chosen = faults.Take(Trials).ToLookup(fault => s_triedAgain.Contains(fault.SqlState));
        var last = new Queue<Fault>(chosen[true]);
        List<Fault[]> chains = [.. chosen[false].Chunk(LongestChain - 1).Select(chain => last.TryDequeue(out var end) ? [.. chain, end] : chain)];
        chains.AddRange(last.Select(fault => new[] { fault }));
        return chains;
    }

    /// <summary>Some of all, always the same for a job and a seed.</summary>
    public static T[] Choose<T>(string job, T[] all, int count)
    {
        var chosen = all.ToArray();
        new Random(job.Aggregate(Seed, (hash, c) => unchecked((hash * 31) + c))).Shuffle(chosen);
        return [.. chosen.Take(count)];
    }
}
