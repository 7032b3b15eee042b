using System.Globalization;

namespace SalesTasks.Crm;

/// <summary>
/// Turns our values into the CRM's spelling and theirs into ours. Both sides are compared in the CRM's spelling, where every value of ours
/// can be written; the way back may fail: a stage or an owner that means nothing here.
/// </summary>
/// <param name="mapping">Stages and exceptions of owners.</param>
/// <param name="schemas">How the CRM writes each field.</param>
/// <param name="owners">The CRM's owners: e-mail address by id.</param>
/// <param name="reps">Addresses of our representatives, in lower case.</param>
internal sealed class CrmValues(
    CrmMapping mapping, IReadOnlyDictionary<CrmObject, CrmSchema> schemas, IReadOnlyDictionary<string, string> owners, IReadOnlySet<string> reps)
{
    private readonly Dictionary<string, string> _idByRep = ByRep(mapping, owners);
    // An owner whom the mapping names under another address of ours is that one.
    private readonly Dictionary<string, string> _repById = ByRep(mapping, owners).OrderBy(o => !mapping.Owners.ContainsKey(o.Key))
        .DistinctBy(o => o.Value, StringComparer.Ordinal).ToDictionary(o => o.Value, o => o.Key, StringComparer.Ordinal);

    private readonly Dictionary<string, string> _stageByTheirs = mapping.Stages.ToDictionary(s => s.Value, s => s.Key, StringComparer.Ordinal);

    /// <summary>Our value as the CRM writes it.</summary>
    /// <returns>False: the CRM has nothing for it (a representative who is no owner there); the field is left alone.</returns>
    public bool TryEncode(CrmObject kind, FieldMapping field, string? ours, out string? theirs)
    {
        theirs = Empty(kind, field);
        if (string.IsNullOrWhiteSpace(ours))
        {
            return true;
        }

        switch (field.Ours.Type)
        {
            case OurType.Stage:
                theirs = mapping.Stages[ours];
                return true;
            case OurType.Owner:
                return _idByRep.TryGetValue(ours.ToLowerInvariant(), out theirs);
            default:
                theirs = Normalize(kind, field, ours);
                return true;
        }
    }

    /// <summary>The CRM's value for us.</summary>
    /// <returns>False: it means nothing here, or the database does not take it.</returns>
    public bool TryDecode(CrmObject kind, FieldMapping field, string? theirs, out string? ours)
    {
        if (theirs is not null && theirs == Empty(kind, field) && !(_repById.TryGetValue(theirs, out var rep) && reps.Contains(rep)))
        {
            theirs = null;
        }

        ours = theirs;
        if (theirs is null)
        {
            // A deal is always in a stage.
            return field.Ours.Type is not OurType.Stage;
        }

        switch (field.Ours.Type)
        {
            case OurType.Stage:
                return _stageByTheirs.TryGetValue(theirs, out ours);
            case OurType.Owner:
                return _repById.TryGetValue(theirs, out ours) && reps.Contains(ours);
            case OurType.Number:
                if (!decimal.TryParse(theirs, NumberStyles.Number, CultureInfo.InvariantCulture, out var number) || number < 0 || number > field.Ours.Max)
                {
                    return false;
                }

                // What the database keeps of it.
                ours = Math.Round(number, field.Ours.Decimals, MidpointRounding.AwayFromZero).ToString(CultureInfo.InvariantCulture);
                return true;
            case OurType.Instant:
                return DateTimeOffset.TryParse(theirs, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
                    && at.Year is >= 1970 and < 3000;
            default:
                return (field.Ours.MaxLength == 0 || theirs.EnumerateRunes().Count() <= field.Ours.MaxLength) && !theirs.Contains('\0');
        }
    }

    /// <summary>What the CRM's field holds where we have nothing: null, or a word that stands for it.</summary>
    public string? Empty(CrmObject kind, FieldMapping field) =>
        field.Empty ?? (schemas[kind].Fields.TryGetValue(field.Theirs, out var info) ? info.Empty : null);

    /// <summary>One spelling of a value, so that 1000 and 1000.00 are no change.</summary>
    public string? Normalize(CrmObject kind, FieldMapping field, string? value)
    {
        var text = value?.Trim();
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        var info = schemas[kind].Fields.GetValueOrDefault(field.Theirs);
        switch (field.Ours.Type)
        {
            case OurType.Email:
                return text.ToLowerInvariant();
            case OurType.Number when decimal.TryParse(text, NumberStyles.Number, CultureInfo.InvariantCulture, out var number):
                return number.ToString("0.############", CultureInfo.InvariantCulture);
            case OurType.Instant or OurType.Day when DateTimeOffset.TryParse(
                text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at):
                return at.ToString(
                    info switch
                    {
                        { Type: CrmValueType.Day } => "yyyy-MM-dd",
                        { WholeSeconds: true } => "yyyy-MM-dd'T'HH:mm:ss'.000Z'",
                        _ => "yyyy-MM-dd'T'HH:mm:ss.fff'Z'",
                    },
                    CultureInfo.InvariantCulture);
            default:
                return text;
        }
    }

    private static Dictionary<string, string> ByRep(CrmMapping mapping, IReadOnlyDictionary<string, string> owners)
    {
        var byAddress = owners.GroupBy(o => o.Value.Trim().ToLowerInvariant(), StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.First().Key, StringComparer.Ordinal);
        var byRep = new Dictionary<string, string>(byAddress, StringComparer.Ordinal);
        foreach (var (rep, owner) in mapping.Owners)
        {
            byRep[rep] = byAddress.GetValueOrDefault(owner.Trim().ToLowerInvariant(), owner);
        }

        return byRep;
    }

    /// <summary>Owners that the mapping names and the CRM does not have.</summary>
    public IEnumerable<string> UnknownOwners() =>
        mapping.Owners.Where(o => !owners.ContainsKey(_idByRep[o.Key])).Select(o => $"owners.{o.Key} = '{o.Value}' is no owner in the CRM");
}
