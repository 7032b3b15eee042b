namespace SalesTasks.Adoption;

/// <summary>What an adoption works with.</summary>
/// <param name="OldSchema">Where the old objects go; null is the schema's name with <c>_before</c>.</param>
/// <param name="TimeZone">The clock that instants without an offset are on.</param>
/// <param name="Words">Words of the installation's own: kind, word, meaning.</param>
/// <param name="DryRun">Do everything beside the old tables, which are only read, tell what came of it, and undo it.</param>
internal sealed record AdoptOptions(string? OldSchema, string TimeZone, IReadOnlyList<(string Kind, string Word, string Meaning)> Words, bool DryRun);

/// <summary>Rows of one table: found, taken over, set aside whole.</summary>
internal sealed record AdoptedTable(string Name, long Old, long Adopted, long SetAside);

/// <summary>How often a rule applied, with keys of up to three rows as examples (none that may be an address or a number of somebody).</summary>
internal sealed record AdoptionFinding(string Table, string Rule, string? Column, long Rows, IReadOnlyList<string> Examples, long SetAside);

/// <summary>What an adoption did, or would do.</summary>
/// <param name="Schema">Ours.</param>
/// <param name="OldSchema">Where the old tables are, until somebody drops them.</param>
/// <param name="DryRun">Nothing was kept of it.</param>
/// <param name="Earlier">It was done by an earlier run; this one did nothing.</param>
/// <param name="FinishedAt">When the old tables were dropped.</param>
/// <param name="Tables">Row counts.</param>
/// <param name="Findings">What was mended, set aside, moved.</param>
internal sealed record AdoptionReport(
    string Schema, string OldSchema, bool DryRun, bool Earlier, DateTimeOffset? FinishedAt, IReadOnlyList<AdoptedTable> Tables,
    IReadOnlyList<AdoptionFinding> Findings);
