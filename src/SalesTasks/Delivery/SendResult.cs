namespace SalesTasks.Delivery;

/// <summary>What one attempt to send came to.</summary>
internal enum SendOutcome
{
    /// <summary>The receiver has it.</summary>
    Sent,

    /// <summary>It surely was not taken, and a later attempt may work.</summary>
    Temporary,

    /// <summary>It was written, and no answer came: the receiver may have it.</summary>
    InDoubt,

    /// <summary>The receiver will never take this message.</summary>
    Permanent,

    /// <summary>The receiver refuses us, or we it, whatever the message: bad credentials, revoked webhook, no trusted TLS. The message is as good as before.</summary>
    Refused,
}

/// <summary>The outcome of one attempt, with what a person needs to understand it.</summary>
/// <param name="Outcome">What it came to.</param>
/// <param name="Reason">In words, without addresses, names or secrets; null where it was sent.</param>
/// <param name="Status">The receiver's status code (HTTP or SMTP), null where there was no answer.</param>
internal sealed record SendResult(SendOutcome Outcome, string? Reason = null, int? Status = null)
{
    /// <summary>How long the receiver asked not to be called.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>False where the failure says nothing about the message: nobody was there, or too much at once.</summary>
    public bool CountsAgainstMessage { get; init; } = true;

    /// <summary>True where the next message would fare the same: wrong address, moved.</summary>
    public bool ConcernsConnection { get; init; }

    public static SendResult Sent(int? status) => new(SendOutcome.Sent, null, status);

    public static SendResult Temporary(string reason, int? status = null) => new(SendOutcome.Temporary, reason, status);

    public static SendResult InDoubt(string reason, int? status = null) => new(SendOutcome.InDoubt, reason, status);

    public static SendResult Permanent(string reason, int? status = null) => new(SendOutcome.Permanent, reason, status);

    public static SendResult Refused(string reason, int? status = null) => new(SendOutcome.Refused, reason, status);
}
