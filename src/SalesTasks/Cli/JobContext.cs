using SalesTasks.Airflow;
using SalesTasks.Database;
using Serilog;

namespace SalesTasks.Cli;

/// <summary>What a job works with.</summary>
internal sealed class JobContext
{
    private long _progress;

    public required RunIdentity Run { get; init; }

    public required ParameterValues Parameters { get; init; }

    public required SalesDatabase Database { get; init; }

    /// <summary>Finds the connections beside the database's by their ids.</summary>
    public required ConnectionResolver Connections { get; init; }

    public required ConnectionIds ConnectionIds { get; init; }

    /// <summary>Structured, to stderr. Never personal data, secrets or SQL parameter values.</summary>
    public required ILogger Log { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>The instant the job works at, UTC.</summary>
    public required DateTimeOffset AsOf { get; init; }

    public bool DryRun => Parameters.Get(CommonParameters.DryRun);

    public Shard Shard => Parameters.Get(CommonParameters.Shard);

    /// <summary>Most leads to work on, <see cref="long.MaxValue"/> when there is no limit.</summary>
    public long MaxLeads => Parameters.Get(CommonParameters.MaxLeadsPerRun) is > 0 and var limit ? limit : long.MaxValue;

    /// <summary>Rows done so far, shown by the heartbeat.</summary>
    public long Progress => Interlocked.Read(ref _progress);

    public void Advance(long rows) => Interlocked.Add(ref _progress, rows);
}
