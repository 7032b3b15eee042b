namespace SalesTasks.Crm;

/// <summary>The two kinds of records that are kept in step, in the order in which they go over: a deal needs its lead.</summary>
internal enum CrmObject
{
    Lead,
    Deal,
}

/// <summary>
/// What the sync needs of a CRM, and all it knows of one. Every method is one or a few calls, counted against the budget; all throw
/// <see cref="JobException"/> (69: refused for good, 75: later) for what concerns the connection and not a record.
/// </summary>
internal interface ICrm : IAsyncDisposable
{
    public CrmLimits Limits { get; }

    /// <summary>What time it is at the CRM, as its answers tell; null where they do not.</summary>
    public DateTimeOffset? Clock => null;

    /// <summary>The fields of an object as the CRM has them today.</summary>
    public Task<CrmSchema> DescribeAsync(CrmObject kind, CancellationToken cancellationToken);

    /// <summary>E-mail address by id of everybody who may own a record.</summary>
    public Task<IReadOnlyDictionary<string, string>> ReadOwnersAsync(CancellationToken cancellationToken);

    /// <summary>
    /// A page of the records that were modified within a window, in an order of the CRM's own. No record that stays unmodified during the
    /// reading is left out, whatever their number.
    /// </summary>
    /// <param name="kind">Leads or deals.</param>
    /// <param name="window">From and to, by the CRM's own modification instant.</param>
    /// <param name="page">Null for the first page, then <see cref="CrmPage.Next"/>.</param>
    /// <param name="cancellationToken">Asked to stop.</param>
    public Task<CrmPage> ReadChangesAsync(CrmObject kind, CrmWindow window, string? page, CancellationToken cancellationToken);

    /// <summary>A page of the ids of records that were deleted within a window (a CRM may tell older ones again).</summary>
    public Task<CrmPage> ReadDeletedAsync(CrmObject kind, CrmWindow window, string? page, CancellationToken cancellationToken);

    /// <summary>
    /// Records by values of a field, at most <see cref="CrmLimits.Read"/> (<see cref="CrmLimits.Match"/> where that is not 0). What does not exist is left out; a record that went into another
    /// one comes as that other one, with the old id among <see cref="CrmRecord.MergedIds"/>.
    /// </summary>
    public Task<IReadOnlyList<CrmRecord>> ReadAsync(CrmObject kind, CrmLookup by, IReadOnlyList<string> values, CancellationToken cancellationToken);

    /// <summary>
    /// Writes up to <see cref="CrmLimits.Write"/> records: those with an id are changed, the others created or, where a record carries
    /// their key already, changed. One outcome for each, in their order.
    /// </summary>
    /// <exception cref="CrmBatchRefusedException">Nothing was written because of some record; which one is not known.</exception>
    public Task<IReadOnlyList<CrmOutcome>> WriteAsync(CrmObject kind, IReadOnlyList<CrmWrite> records, CancellationToken cancellationToken);

    /// <summary>Attaches deals to leads, at most <see cref="CrmLimits.Relate"/>; done already counts as done.</summary>
    public Task RelateAsync(IReadOnlyList<(string DealId, string LeadId)> pairs, CancellationToken cancellationToken);

    /// <summary>Deletes up to <see cref="CrmLimits.Write"/> records so that a person can bring them back; gone already counts as done.</summary>
    /// <exception cref="CrmBatchRefusedException">Some of them are not deleted, the others are.</exception>
    public Task DeleteAsync(CrmObject kind, IReadOnlyList<string> ids, CancellationToken cancellationToken);

    /// <summary>Removes records for good, as a person's right to erasure asks; gone already counts as done.</summary>
    public Task EraseAsync(CrmObject kind, IReadOnlyList<string> ids, CancellationToken cancellationToken);
}

/// <summary>Records a call takes at most.</summary>
internal sealed record CrmLimits(int Write, int Read, int Relate)
{
    /// <summary>
    /// For a CRM that takes two people with the same e-mail address: how many are asked for at once before any is created. 0: the CRM refuses
    /// the second, which costs nothing while there is none.
    /// </summary>
    public int Match { get; init; }
}

/// <summary>By what records are looked up.</summary>
internal enum CrmLookup
{
    Id,

    /// <summary>The CRM's unique property that holds our key.</summary>
    Key,

    /// <summary>The field by which people are recognised, such as the e-mail address.</summary>
    Match,
}

internal readonly record struct CrmWindow(DateTimeOffset From, DateTimeOffset To);

/// <summary>A part of an answer.</summary>
/// <param name="Records">In the CRM's order.</param>
/// <param name="Next">Where to go on; null: that was all.</param>
internal sealed record CrmPage(IReadOnlyList<CrmRecord> Records, string? Next);

/// <summary>A record as the CRM has it.</summary>
internal sealed record CrmRecord(string Id, DateTimeOffset ModifiedAt)
{
    /// <summary>Our key, where the record was made or adopted by us.</summary>
    public string? Key { get; init; }

    /// <summary>By the CRM's field name; empty and missing are null.</summary>
    public IReadOnlyDictionary<string, string?> Properties { get; init; } = new Dictionary<string, string?>();

    /// <summary>It is no more; then nothing but its id is known.</summary>
    public bool Deleted { get; init; }

    /// <summary>Ids of records that went into this one.</summary>
    public IReadOnlyList<string> MergedIds { get; init; } = [];

    /// <summary>The lead a deal belongs to, where the answer tells.</summary>
    public string? RelatedId { get; init; }
}

/// <summary>A record to write.</summary>
/// <param name="Key">Our key; sent with a new record only.</param>
/// <param name="Id">The CRM's id; null: not known to exist.</param>
/// <param name="Properties">By the CRM's field name; null empties a field.</param>
/// <param name="RelatedId">The lead a new deal belongs to.</param>
internal sealed record CrmWrite(string Key, string? Id, IReadOnlyDictionary<string, string?> Properties, string? RelatedId = null);

internal enum CrmOutcomeKind
{
    Written,

    /// <summary>The CRM does not take these values.</summary>
    Refused,

    /// <summary>Another record has a value that must be unique, such as the e-mail address.</summary>
    Duplicate,

    /// <summary>There is no record with this id any more.</summary>
    Gone,

    /// <summary>Not now: locked, or too much at once for this record.</summary>
    Later,
}

/// <summary>What became of a record.</summary>
/// <param name="Kind">Whether it was written.</param>
/// <param name="Record">As it is now; only where it was written, and with those properties that the CRM tells.</param>
/// <param name="Reason">Why not, in the CRM's words.</param>
internal sealed record CrmOutcome(CrmOutcomeKind Kind, CrmRecord? Record, string? Reason);

/// <summary>Nothing of a batch was written.</summary>
internal sealed class CrmBatchRefusedException(string reason) : Exception(reason);

/// <summary>What the CRM says of an object.</summary>
/// <param name="Name">The object's name in the CRM, for messages.</param>
/// <param name="Fields">By name.</param>
internal sealed record CrmSchema(string Name, IReadOnlyDictionary<string, CrmFieldInfo> Fields);

internal enum CrmValueType
{
    Text,
    Number,
    Instant,
    Day,
    Choice,
}

/// <summary>A field of the CRM.</summary>
/// <param name="Type">How its values are written.</param>
/// <param name="Unique">No two records may have the same value.</param>
/// <param name="ReadOnly">Only the CRM itself writes it.</param>
/// <param name="Options">Values it takes; empty: any.</param>
internal sealed record CrmFieldInfo(CrmValueType Type, bool Unique, bool ReadOnly, IReadOnlyCollection<string> Options)
{
    /// <summary>What stands in the field where nothing was given, since it is never empty; null: it may be.</summary>
    public string? Empty { get; init; }

    /// <summary>An instant without a part of a second.</summary>
    public bool WholeSeconds { get; init; }
}
