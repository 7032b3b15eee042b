namespace SalesTasks;

/// <summary>
/// What the process tells its caller. Airflow retries on <see cref="TemporaryFailure"/> only; the numbers follow BSD sysexits.h where
/// that has one.
/// </summary>
internal enum ExitCode
{
    /// <summary>The work is done.</summary>
    Done = 0,

    /// <summary><c>health</c> only: something needs attention.</summary>
    Degraded = 1,

    /// <summary><c>validate</c> and <c>setup</c> only: the command did its work, and what it looked at is not as it should be.</summary>
    Findings = Degraded,

    /// <summary><c>health</c> only: something is broken.</summary>
    Critical = 2,

    /// <summary>Wrong usage, parameters or configuration; a retry cannot help.</summary>
    Usage = 64,

    /// <summary>A needed service refuses us for good: bad credentials, no such database, missing or foreign schema.</summary>
    Refused = 69,

    /// <summary>A defect of the program.</summary>
    Defect = 70,

    /// <summary>Network, deadlock, restart, 429/5xx: a retry will help.</summary>
    TemporaryFailure = 75,

    /// <summary>Nothing to do, told only to callers that asked for it with <c>--skip-when-idle</c>.</summary>
    NothingToDo = 99,

    /// <summary>Asked to stop (SIGTERM); what was committed stays, the next try resumes.</summary>
    Stopped = 143,
}
