using System.Globalization;

namespace SalesTasks.Airflow;

/// <summary>
/// Which run of which task this process is, from the <c>SALES_*</c> environment that the Airflow operator sets; by hand, a run of its own.
/// </summary>
internal sealed record RunIdentity
{
    public required string DagId { get; init; }

    public required string TaskId { get; init; }

    public required string RunId { get; init; }

    /// <summary>Index of a mapped task, −1 where the task is not mapped (as Airflow counts).</summary>
    public int MapIndex { get; init; } = -1;

    /// <summary>1 for the first try.</summary>
    public int TryNumber { get; init; } = 1;

    public DateTimeOffset? LogicalDate { get; init; }

    public DateTimeOffset? DataIntervalStart { get; init; }

    public DateTimeOffset? DataIntervalEnd { get; init; }

    /// <summary>Names the work and not the try: a retry carries the same key, so that nothing is done twice.</summary>
    public string IdempotencyKey => string.Create(CultureInfo.InvariantCulture, $"{DagId}/{TaskId}/{RunId}/{MapIndex}");

    /// <summary>Reads the environment; every fault is added to <paramref name="faults"/>.</summary>
    public static RunIdentity Read(Func<string, string?> environment, string command, TimeProvider time, List<string> faults)
    {
        var now = time.GetUtcNow();
        return new RunIdentity
        {
            DagId = Text("SALES_DAG_ID") ?? "manual",
            TaskId = Text("SALES_TASK_ID") ?? command.Replace(' ', '_'),
            RunId = Text("SALES_RUN_ID")
                ?? string.Create(CultureInfo.InvariantCulture, $"manual__{now:yyyy-MM-dd'T'HH:mm:ss}Z_{Guid.CreateVersion7(now):N}"),
            MapIndex = Number("SALES_MAP_INDEX", -1, -1),
            TryNumber = Number("SALES_TRY_NUMBER", 1, 0),
            LogicalDate = Instant("SALES_LOGICAL_DATE"),
            DataIntervalStart = Instant("SALES_DATA_INTERVAL_START"),
            DataIntervalEnd = Instant("SALES_DATA_INTERVAL_END"),
        };

        string? Text(string name)
        {
            var value = environment(name)?.Trim();
            if (string.IsNullOrEmpty(value))
            {
                return null;
            }

            if (value.Length > 250)
            {
                faults.Add($"{name}: {value.Length} characters; allowed: at most 250, as in Airflow");
                return null;
            }

            if (value.Any(char.IsControl))
            {
                faults.Add($"{name}: {Quoted.Text(value)} is not allowed; allowed: text without control characters");
                return null;
            }

            return value;
        }

        int Number(string name, int fallback, int min)
        {
            if (Text(name) is not { } text)
            {
                return fallback;
            }

            if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= min)
            {
                return number;
            }

            faults.Add($"{name}: {Quoted.Text(text)} is not allowed; allowed: a whole number of at least {min}");
            return fallback;
        }

        DateTimeOffset? Instant(string name)
        {
            // Airflow renders None where a run has no logical date or interval.
            if (Text(name) is not { } text || string.Equals(text, "None", StringComparison.Ordinal))
            {
                return null;
            }

            if (Instants.TryParse(text, out var instant))
            {
                return instant;
            }

            faults.Add($"{name}: {Quoted.Text(text)} is not allowed; "
                + "allowed: an ISO 8601 instant with offset, such as 2026-01-31T06:00:00+00:00");
            return null;
        }
    }
}
