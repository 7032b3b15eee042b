using SalesTasks.Cli;

namespace SalesTasks.Leads;

/// <summary>What one run of <c>leads import</c> was asked to do, checked.</summary>
internal sealed record ImportSettings
{
    public required string Path { get; init; }

    public required string Kind { get; init; }

    public required string Format { get; init; }

    /// <summary>Null: columns are taken by their names.</summary>
    public required MappingDocument? Mapping { get; init; }

    public required string? Source { get; init; }

    public required string Encoding { get; init; }

    public required string OnDuplicate { get; init; }

    public required MatchRule Match { get; init; }

    public required int MaxRejectedPercent { get; init; }

    public bool IsEngagement => string.Equals(Kind, MappingDocument.Engagement, StringComparison.Ordinal);

    /// <summary>Columns that an empty text erases.</summary>
    public string[] Erased => Mapping is null ? [] : BoundMapping.Erased(Mapping);

    public static async Task<ImportSettings> LoadAsync(JobContext context, CancellationToken cancellationToken)
    {
        var values = context.Parameters;
        var settings = new ImportSettings
        {
            Path = values.Get(LeadsJobs.Path)!,
            Kind = values.Get(LeadsJobs.Kind),
            Format = values.Get(LeadsJobs.Format),
            Mapping = await LoadMappingAsync(context, cancellationToken),
            Source = values.Get(LeadsJobs.Source)?.Trim() is { Length: > 0 } source ? source : null,
            Encoding = values.Get(LeadsJobs.Encoding),
            OnDuplicate = values.Get(LeadsJobs.OnDuplicate),
            Match = values.Get(LeadsJobs.Match) switch
            {
                "email" => MatchRule.Email,
                "email_or_phone" => MatchRule.EmailOrPhone,
                _ => MatchRule.EmailOrNamedPhone,
            },
            MaxRejectedPercent = values.Get(LeadsJobs.MaxRejectedPercent),
        };
        if (settings.Mapping is { } mapping)
        {
            settings.CheckMapping(mapping);
        }

        if (settings is { IsEngagement: true, Format: "manychat" })
        {
            throw JobException.Usage("format: manychat holds subscribers; allowed for engagement: auto, csv, jsonl");
        }

        return settings;
    }

    /// <summary>Groups of columns of each of which one must be filled.</summary>
    public TargetColumn[][] Required() => IsEngagement
        ? [[EventColumns.LeadExtId, EventColumns.Email], [EventColumns.EventType], [EventColumns.OccurredAt]]
        : Source is null ? [[LeadColumns.ExtId], [LeadColumns.Source]] : [[LeadColumns.ExtId]];

    private static async Task<MappingDocument?> LoadMappingAsync(JobContext context, CancellationToken cancellationToken)
    {
        if (context.Parameters.Get(LeadsJobs.MappingFile) is { } file)
        {
            return MappingDocument.Parse(MappingStore.ReadFile(file), $"'{file}'");
        }

        if (context.Parameters.Get(LeadsJobs.Mapping) is not { } name)
        {
            return null;
        }

        await using var connection = await context.Database.OpenAsync(cancellationToken);
        var saved = await MappingStore.LoadAsync(connection, name, cancellationToken);
        return MappingDocument.Parse(saved.Document, $"mapping '{name}'");
    }

    private void CheckMapping(MappingDocument mapping)
    {
        if (!string.Equals(mapping.Kind, Kind, StringComparison.Ordinal))
        {
            throw JobException.Usage($"kind: '{Kind}', but the mapping is for '{mapping.Kind}'; give --kind {mapping.Kind} or another mapping");
        }

        var missing = Required().Where(group => !mapping.Columns.Any(rule => group.Contains(rule.Target))).ToList();
        if (missing.Count > 0)
        {
            var names = missing.Select(group => string.Join(" or ", group.Select(column => column.Name)));
            throw JobException.Usage($"The mapping fills no {string.Join(", no ", names)}; every row needs it");
        }
    }
}
