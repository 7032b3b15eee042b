namespace SalesTasks.Leads;

/// <summary>
/// Why a row is rejected, in words for the reject file, the log and the result. They name the column and what is allowed, never the
/// value: that stands in the reject file beside them and belongs nowhere else.
/// </summary>
internal static class RowFaults
{
    public const string Nul = "contains a NUL character";
    public const string Duplicate = "is a duplicate of another lead (on_duplicate is reject)";
    public const string UnknownLead = "no lead has this id, alias or e-mail address";
    public const string Erased = "was erased at the person's request (privacy allow lets the person in again)";
    public const string NamesNoLead = "names no lead: lead_ext_id and email are empty";

    public static string Missing(TargetColumn column) => $"{column.Name} is empty";

    public static string TooLong(TargetColumn column) => $"{column.Name} is longer than {column.MaxLength} characters";

    public static string NoDate(TargetColumn column) => $"{column.Name} is not a date and time in the expected format";

    public static string DateOutOfRange(TargetColumn column) => $"{column.Name} is before 1900 or more than a day in the future";

    public static string NoNumber(TargetColumn column) => $"{column.Name} is not a number";

    public static string NumberOutOfRange(TargetColumn column) => $"{column.Name} is not between 0 and 9999999999.99";

    public static string NoFlag(TargetColumn column) => $"{column.Name} is neither yes nor no";

    public static string NoEventType(TargetColumn column) => $"{column.Name} is none of reply, click, open, visit, demo, pricing";
}
