using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.Outbox;

/// <summary>The step <c>outbox dispatch</c>, shared by every DAG whose steps write messages.</summary>
internal static class OutboxJobs
{
    private const string Section = "Sending";

    /// <summary>A lease outlives the request by this many seconds, unless it is given.</summary>
    private const int LeaseMargin = 30;

    public static readonly IntParameter RequestTimeout = new(
        "request_timeout", "Request time-out", "Seconds an outside service has to answer.", 30, 1, 600)
    { Section = Section };

    public static readonly IntParameter Concurrency = new(
        "concurrency", "Concurrency", "Messages on the wire at once, for each channel.", 32, 1, 128)
    { Section = Section };

    public static readonly IntParameter MaxMessages = new(
        "max_messages", "Maximum messages", "Stop after this many messages of each channel; the next run goes on. 0: everything that is due.", 0, 0, int.MaxValue)
    { Section = Section };

    public static readonly IntParameter MaxAttempts = new(
        "max_attempts", "Maximum attempts", "After so many failed attempts a message is dead and waits for a person.", 10, 1, 100)
    { Section = Section };

    public static readonly IntParameter MaxWaitSeconds = new(
        "max_wait_seconds", "Wait for retries",
        "Seconds a run without work waits for retries that fall due and for messages that another run holds.", 60, 0, 3600)
    { Section = Section };

    public static readonly IntParameter LeaseSeconds = new(
        "lease_seconds", "Lease",
        $"Seconds until another run takes over what a run that died had claimed; more than the request time-out. 0: {LeaseMargin} more than that.", 0, 0, 3600)
    { Section = Section };

    public static JobDefinition Dispatch { get; } = new(
        "outbox dispatch",
        "Send every message that is due, once",
        CommonParameters.With(sharded: false, RequestTimeout, Concurrency, MaxMessages, MaxAttempts, MaxWaitSeconds, LeaseSeconds),
        DispatchOutbox.RunAsync)
    {
        Check = static values => values.Get(LeaseSeconds) is > 0 and var lease && lease <= values.Get(RequestTimeout)
            ? [$"lease_seconds = '{lease}' is not allowed; allowed: more than request_timeout ({values.Get(RequestTimeout)}), or 0"]
            : [],
    };

    /// <summary>The lease as it applies.</summary>
    public static TimeSpan Lease(ParameterValues values) =>
        TimeSpan.FromSeconds(values.Get(LeaseSeconds) is > 0 and var given ? given : values.Get(RequestTimeout) + LeaseMargin);
}
