namespace SalesTasks.Campaigns;

/// <summary>What a batch knows about one execution.</summary>
internal sealed record DueExecution(long Id, long CampaignId, int StepsDone, long? PipelineId, string TimeZone, LeadFacts Facts);

/// <summary>A message for the outbox.</summary>
/// <param name="Key">Idempotency key.</param>
/// <param name="Channel">email, call, slack or task.</param>
/// <param name="Recipient">E-mail address or telephone number; null where the connection says where.</param>
/// <param name="TimeZone">Of the lead's clock; null without a window.</param>
/// <param name="Payload">JSON.</param>
/// <param name="Window">On the clock of <paramref name="TimeZone"/>; null: any time.</param>
internal sealed record StepOutbox(
    string Key, string Channel, string? Recipient, string Payload, string? TimeZone, SendWindow? Window);

/// <summary>A follow-up task; the last value is when it is due, from now.</summary>
internal sealed record StepTask(string Type, string Title, string? Description, string Priority, string? AssignedTo, TimeSpan Due);

/// <summary>What is done about one due execution.</summary>
/// <param name="Execution">The execution.</param>
/// <param name="Step">The number of the step that is done with it, from 1.</param>
/// <param name="Next">When the next step is due, from now; null: when the message has been sent.</param>
/// <param name="Completed">No step is left.</param>
internal sealed record StepAct(DueExecution Execution, int Step, TimeSpan? Next, bool Completed)
{
    /// <summary>Null where there was no step to do.</summary>
    public string? EventType { get; init; }

    /// <summary>queued, completed, skipped or failed.</summary>
    public string EventStatus { get; init; } = "queued";

    /// <summary>JSON.</summary>
    public string? EventMetadata { get; init; }

    public string? Variant { get; init; }

    public StepOutbox? Message { get; init; }

    public StepTask? Task { get; init; }

    /// <summary>Characters to be sent to the server, about.</summary>
    public int Size => 200 + (Message?.Payload.Length ?? 0) + (Task?.Description?.Length ?? 0);
}
