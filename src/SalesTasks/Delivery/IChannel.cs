namespace SalesTasks.Delivery;

/// <summary>A way out of the building. Used by several workers at once.</summary>
internal interface IChannel : IAsyncDisposable
{
    /// <summary>
    /// One attempt. Failures of the receiver, the network or the message are results; exceptions are defects.
    /// </summary>
    /// <param name="message">What to send.</param>
    /// <param name="stop">Ends the attempt early, with a result.</param>
    public Task<SendResult> SendAsync(OutboxMessage message, CancellationToken stop);
}
