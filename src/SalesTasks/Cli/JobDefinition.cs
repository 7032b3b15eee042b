using SalesTasks.Airflow;

namespace SalesTasks.Cli;

/// <summary>One step that Airflow launches as a container: a subcommand with parameters, a result line and an exit code.</summary>
/// <param name="Name">The words after the program's name, such as <c>scoring score</c>.</param>
/// <param name="Description">One line for <c>--help</c>.</param>
/// <param name="Parameters">What <c>SALES_PARAMS</c> and flags may set.</param>
/// <param name="RunAsync">Does the work; the connection is open and the schema checked.</param>
internal sealed record JobDefinition(
    string Name, string Description, ParameterSet Parameters, Func<JobContext, CancellationToken, Task<JobResult>> RunAsync)
{
    /// <summary>Faults that no parameter can see alone, found before anything connects: one line each.</summary>
    public Func<ParameterValues, IEnumerable<string>> Check { get; init; } = static _ => [];
}

/// <summary>A DAG: its id, its steps in order, and with them the parameters of its trigger form.</summary>
internal sealed record DagDefinition(string Id, params JobDefinition[] Steps)
{
    /// <summary>Parameters that this DAG fixes by a flag of a step, such as <c>--only-unassigned</c>; its form does not offer them.</summary>
    public IReadOnlyDictionary<JobDefinition, BoolParameter> Fixed { get; init; } = new Dictionary<JobDefinition, BoolParameter>();

    /// <summary>
    /// The steps' parameters, each name once. Where one step can be sharded and another cannot, the form offers the sharded one's.
    /// </summary>
    public ParameterSet Parameters => new(
        Steps.SelectMany(s => s.Parameters.All.Except(Fixed.TryGetValue(s, out var parameter) ? [parameter] : []))
            .OrderBy(p => ReferenceEquals(p, CommonParameters.NoShard)));

    /// <summary>The arguments of a step after the program's name.</summary>
    public IReadOnlyList<string> Arguments(JobDefinition step) =>
        [.. step.Name.Split(' '), .. Fixed.TryGetValue(step, out var parameter) ? [parameter.Flag] : Array.Empty<string>()];
}

/// <summary>What a job did.</summary>
/// <param name="Counts">Whole numbers by name, in the order people should read them.</param>
internal sealed record JobResult(IReadOnlyDictionary<string, long> Counts)
{
    /// <summary>True where there was nothing to do; ends in 99 only for callers that asked for it.</summary>
    public bool NothingToDo { get; init; }

    /// <summary>Why the run failed although it did what is counted: an outside service that it needed. Null: it did not fail.</summary>
    public JobException? Failure { get; init; }

    /// <summary>Further facts for a person or a downstream task: short texts and numbers.</summary>
    public IReadOnlyDictionary<string, object?> Details { get; init; } = new Dictionary<string, object?>(StringComparer.Ordinal);
}
