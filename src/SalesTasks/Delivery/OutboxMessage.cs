namespace SalesTasks.Delivery;

/// <summary>A claimed row of <c>outbox_messages</c>, as its channel needs it.</summary>
/// <param name="Id">The row.</param>
/// <param name="IdempotencyKey">Printable ASCII, at most 217 characters; the same at every attempt. In a copy that was restored from a backup it ends in that restore's mark.</param>
/// <param name="Purpose">campaign, followup, notice, alert, report or summary.</param>
/// <param name="LeadExtId">The lead it is about, null where it is about none.</param>
/// <param name="StepNumber">The campaign's step.</param>
/// <param name="Recipient">E-mail address or telephone number; null where the connection says where.</param>
/// <param name="Payload">The JSON object its writer stored; see docs/sending.md for its shape by channel.</param>
/// <param name="Attempts">How often it was on the wire before.</param>
/// <param name="Failures">Attempts that count against it.</param>
internal sealed record OutboxMessage(
    long Id, string IdempotencyKey, string Purpose, string? LeadExtId, int? StepNumber, string? Recipient, string Payload, int Attempts, int Failures)
{
    /// <summary>The files of an e-mail, loaded right before it leaves.</summary>
    public IReadOnlyList<Attachment> Attachments { get; init; } = [];

    /// <summary>Why it cannot be sent, though nothing stops it: a sealed value does not open.</summary>
    public string? Fault { get; init; }
}
