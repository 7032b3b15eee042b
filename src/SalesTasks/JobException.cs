namespace SalesTasks;

/// <summary>
/// A failure that a person can act on. The message names the thing, its value and what is allowed; it never carries secrets, personal
/// data or SQL parameter values, because it is printed, logged and stored.
/// </summary>
internal sealed class JobException : Exception
{
    public JobException(ExitCode exitCode, string message, Exception? inner = null)
        : base(message, inner) => ExitCode = exitCode;

    /// <summary>The code the process ends with.</summary>
    public ExitCode ExitCode { get; }

    /// <summary>Wrong usage, parameters or configuration (64).</summary>
    public static JobException Usage(string message, Exception? inner = null) => new(ExitCode.Usage, message, inner);

    /// <summary>A service refuses for good (69).</summary>
    public static JobException Refused(string message, Exception? inner = null) => new(ExitCode.Refused, message, inner);

    /// <summary>Temporary failure; a retry will help (75).</summary>
    public static JobException Temporary(string message, Exception? inner = null) => new(ExitCode.TemporaryFailure, message, inner);
}
