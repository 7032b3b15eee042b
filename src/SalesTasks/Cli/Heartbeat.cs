using SalesTasks.Database;

namespace SalesTasks.Cli;

/// <summary>
/// While a job works: a log line at every beat, because socket proxies cut log streams that are silent for a minute, and the time of the
/// beat in the try's row, so that a process that died without a word can be told from one that works.
/// </summary>
internal sealed class Heartbeat : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    /// <param name="context">The job; its progress is logged.</param>
    /// <param name="tryId">Row of the try; null in a dry run, which writes nothing.</param>
    /// <param name="interval">Time between beats.</param>
    public Heartbeat(JobContext context, long? tryId, TimeSpan interval) => _loop = BeatAsync(context, tryId, interval);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task BeatAsync(JobContext context, long? tryId, TimeSpan interval)
    {
        using var timer = new PeriodicTimer(interval, context.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                context.Log.Information("working, {Rows} rows done", context.Progress);
                if (tryId is { } id)
                {
                    await RecordAsync(context, id);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The job is done.
        }
    }

    /// <summary>A beat that cannot be written is the job's to notice: it uses the same database.</summary>
    private async Task RecordAsync(JobContext context, long id)
    {
        try
        {
            await TaskRuns.BeatAsync(context, id, _stop.Token);
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            // The job ended during the beat: whatever the cut-off connection says must not replace the job's outcome.
        }
        catch (Exception exception)
        {
            var reason = PostgresErrors.ToJobException(exception)?.Message ?? Defect.Kind(exception);
            context.Log.Warning("The heartbeat could not be written: {Reason:l}", reason);
        }
    }
}
