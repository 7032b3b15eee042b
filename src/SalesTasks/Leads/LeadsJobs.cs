using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.Leads;

/// <summary>The step of the DAG <c>sales_lead_ingest</c> and its parameters.</summary>
internal static class LeadsJobs
{
    private const string Section = "Lead import";

    public static readonly TextParameter Path = new(
        "path", "Path", "What to import: a file, a folder (the data files directly in it), or s3://bucket/prefix.", 2000)
    { Section = Section };

    public static readonly ChoiceParameter Kind = new(
        "kind", "Kind", "leads: people; engagement: what they did (replies, clicks, opens, visits, demo and pricing events).",
        MappingDocument.Leads, MappingDocument.Leads, MappingDocument.Engagement)
    { Section = Section };

    public static readonly ChoiceParameter Format = new(
        "format", "Format", "auto looks at the file: CSV, JSON (one object a line, or an array), or a ManyChat subscriber export.",
        "auto", "auto", "csv", "jsonl", "manychat")
    { Section = Section };

    public static readonly TextParameter Mapping = new(
        "mapping", "Mapping", "Name of a saved column mapping. Empty: columns are taken by their names.", 64)
    { Section = Section };

    public static readonly TextParameter MappingFile = new(
        "mapping_file", "Mapping file", "Path of a column mapping (YAML or JSON), instead of a saved one.", 2000)
    { Section = Section };

    public static readonly TextParameter Source = new(
        "source", "Source", "Source of new rows that name none themselves.", 32)
    { Section = Section };

    public static readonly ChoiceParameter Encoding = new(
        "encoding", "Encoding", "auto: byte order mark, else UTF-8 if the file is, else Windows-1252.",
        TextEncoding.Auto, TextEncoding.Auto, TextEncoding.Utf8, TextEncoding.Latin1)
    { Section = Section };

    public static readonly ChoiceParameter OnDuplicate = new(
        "on_duplicate", "Duplicates",
        "A new id for a person who is a lead already: merge fills what the lead lacks and remembers the id; keep only remembers the id; "
        + "separate makes a second lead; reject puts the row into the reject file.",
        "merge", "merge", "keep", "separate", "reject")
    { Section = Section };

    public static readonly ChoiceParameter Match = new(
        "match", "Same person",
        "What makes two rows one person. auto: the same e-mail address, or the same phone number where the names agree; email; email_or_phone.",
        "auto", "auto", "email", "email_or_phone")
    { Section = Section };

    public static readonly TextParameter RejectPath = new(
        "reject_path", "Reject file", "File or folder for rejected rows, or s3://bucket/key. Empty: beside the source.", 2000)
    { Section = Section };

    public static readonly IntParameter MaxRejectedPercent = new(
        "max_rejected_percent", "Most rejected rows (%)",
        "Import nothing and fail when more than this share of the rows is bad, as with a wrong mapping. 100: never.", 100, 0, 100)
    { Section = Section };

    public static JobDefinition Import { get; } = new(
        "leads import",
        "Import leads or engagement events from CSV, JSON or a ManyChat export",
        CommonParameters.With(
            sharded: false, Path, Kind, Format, Mapping, MappingFile, Source, Encoding, OnDuplicate, Match, RejectPath, MaxRejectedPercent),
        ImportJob.RunAsync)
    {
        Check = Check,
    };

    private static IEnumerable<string> Check(ParameterValues values)
    {
        if (values.Get(Path) is null)
        {
            yield return $"--path: missing; allowed: {Path.Description}";
        }

        if (values.Get(Mapping) is not null && values.Get(MappingFile) is not null)
        {
            yield return "--mapping and --mapping-file: both given; allowed: one of them";
        }
    }
}
