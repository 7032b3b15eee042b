namespace SalesTasks.Impact;

/// <summary>The columns of sql/experiments/outcomes.sql after the group, in its order: what was known before assignment, then what came of it.</summary>
internal enum Outcome
{
    Score,
    LogValue,
    ValueKnown,
    SourceShare,
    Won,
    Closed,
    ContactHours,
    CloseDays,
    Revenue,
    TasksOnTime,
    TasksDue,
    Abandoned,
}
