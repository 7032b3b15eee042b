using System.Runtime.InteropServices;

namespace SalesTasks.Cli;

/// <summary>
/// SIGTERM and SIGINT ask the job to stop: its current batch is finished or rolled back and what was committed stays. A batch that does
/// not end within <see cref="Grace"/> is left to the server to roll back, because Docker kills ten seconds after SIGTERM.
/// </summary>
internal sealed class StopSignal : IDisposable
{
    /// <summary>Time for the current batch, from the signal to the forced end.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(7.5);

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly TimeProvider _time;
    private ITimer? _deadline;

    public StopSignal(TimeProvider time)
    {
        _time = time;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
        ];
    }

    public CancellationToken Token => _source.Token;

    public bool WasAsked => _source.IsCancellationRequested;

    /// <summary>Says the last word of a process whose current batch does not end; the process exits when it returns.</summary>
    public Action? BeforeForcedEnd { get; set; }

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _deadline?.Dispose();
        _source.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        _deadline ??= _time.CreateTimer(_ => ForceEnd(), state: null, Grace, Timeout.InfiniteTimeSpan);
        _source.Cancel();
    }

    private void ForceEnd()
    {
        try
        {
            BeforeForcedEnd?.Invoke();
        }
        finally
        {
            Environment.Exit((int)ExitCode.Stopped);
        }
    }
}
