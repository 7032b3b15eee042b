namespace SalesTasks.Demo.Crm;

/// <summary>A property of an object, as HubSpot describes it.</summary>
internal sealed record FakeProperty(string Name, string Type, bool Unique = false, bool ReadOnly = false, params string[] Options);

/// <summary>A contact or a deal.</summary>
internal sealed class FakeRecord(string id)
{
    public string Id { get; } = id;

    public SortedDictionary<string, string> Properties { get; } = new(StringComparer.Ordinal);

    public DateTimeOffset CreatedAt { get; set; }

    public DateTimeOffset UpdatedAt { get; set; }

    public DateTimeOffset? ArchivedAt { get; set; }

    /// <summary>The record it went into.</summary>
    public FakeRecord? MergedInto { get; set; }

    public SortedSet<string> MergedIds { get; } = new(StringComparer.Ordinal);

    /// <summary>A deal's contacts.</summary>
    public SortedSet<string> Contacts { get; } = new(StringComparer.Ordinal);

    /// <summary>What the search knows of it.</summary>
    public IReadOnlyDictionary<string, string>? Indexed { get; set; }

    public DateTimeOffset IndexedUpdatedAt { get; set; }

    /// <summary>The number of searches after which the search knows of the last change.</summary>
    public long IndexedAfter { get; set; }
}
