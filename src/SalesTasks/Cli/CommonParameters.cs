using SalesTasks.Airflow;

namespace SalesTasks.Cli;

/// <summary>What every job accepts.</summary>
internal static class CommonParameters
{
    private const string Section = "Run";

    public static readonly BoolParameter DryRun = new(
        "dry_run", "Dry run", "Compute and report everything, write and send nothing.", false)
    { Section = Section };

    public static readonly InstantParameter AsOf = new(
        "as_of", "As of", "Work as if it were this instant (ISO 8601 with offset). Left out: now.")
    { Section = Section };

    public static readonly ShardParameter Shard = new(
        "shard", "Shard", "Do only part i of n of the work, counted from 0, as i/n. Left out: all of it.", supported: true)
    { Section = Section };

    public static readonly ShardParameter NoShard = new(
        "shard", "Shard", "This step does all of its work at once: only 0/1 is allowed.", supported: false)
    { Section = Section };

    public static readonly IntParameter MaxLeadsPerRun = new(
        "max_leads_per_run", "Maximum leads per run", "Stop after this many leads; the next run goes on. 0: no limit.", 0, 0, int.MaxValue)
    { Section = Section };

    public static readonly BoolParameter SkipWhenIdle = new(
        "skip_when_idle", "Skip when idle", "End with exit code 99 (a skipped task in Airflow) when there was nothing to do.", false)
    { Section = Section };

    /// <summary>For steps that write a summary; not among those that every job accepts.</summary>
    public static readonly ChoiceParameter Language = new(
        "language", "Language", "Language of the summary: en (English) or es (Spanish).", "en", "en", "es")
    { Section = Section };

    /// <summary>A job's own parameters followed by the common ones.</summary>
    public static ParameterSet With(bool sharded, params Parameter[] own) =>
        new([.. own, DryRun, AsOf, sharded ? Shard : NoShard, MaxLeadsPerRun, SkipWhenIdle]);
}
