namespace SalesTasks.Tests.Faults;

/// <summary>What happens at an event of a run.</summary>
internal enum FaultKind
{
    /// <summary>Nothing: events are counted.</summary>
    None,

    /// <summary>The connection breaks before the request reaches the server; half of a COPY's data does.</summary>
    RequestLost,

    /// <summary>The connection breaks after the server has done what was asked, a commit too, and before its answer arrives.</summary>
    AnswerLost,

    /// <summary>As <see cref="RequestLost"/>, and from then on nothing reaches the server and no connection is accepted.</summary>
    Gone,

    /// <summary>As <see cref="AnswerLost"/>, and from then on nothing reaches the server and no connection is accepted.</summary>
    GoneAfter,

    /// <summary>pg_terminate_backend: the server ends the session with an error of its own.</summary>
    Terminated,

    /// <summary>The server answers with an error instead of doing what was asked; <see cref="Fault.SqlState"/> says which.</summary>
    Error,

    /// <summary>The test acts, while the request waits.</summary>
    Act,
}

/// <summary>A fault at one event of a run.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="At">At which event, from 1: a new connection, a request, or a piece of a COPY's data.</param>
internal sealed record Fault(FaultKind Kind, int At)
{
    /// <summary>Server errors that say something about the surroundings, not about the statement.</summary>
    public static readonly string[] SqlStates =
    [
        "57014", // statement time-out
        "55P03", // lock time-out
        "53100", // disk full
        "53200", // out of memory
        "40P01", // deadlock
        "40001", // serialization failure
    ];

    public static Fault Nothing { get; } = new(FaultKind.None, 0);

    /// <summary>Of <see cref="FaultKind.Error"/>.</summary>
    public string SqlState { get; init; } = "";

    /// <summary>Of <see cref="FaultKind.Act"/>.</summary>
    public Func<Task> Act { get; init; } = static () => Task.CompletedTask;

    /// <summary>Said to the server once a session is set up, such as a shorter lock time-out.</summary>
    public string? SessionSql { get; init; }

    public override string ToString() => Kind is FaultKind.Error ? $"{SqlState} at {At}" : $"{Kind} at {At}";
}
