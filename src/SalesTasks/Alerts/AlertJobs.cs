using System.Text.RegularExpressions;
using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.Alerts;

/// <summary>The job <c>alerts evaluate</c> and its parameters.</summary>
internal static partial class AlertJobs
{
    private const string Situations = "Situations";
    private const string LifeCycle = "Life cycle";
    private const string Messages = "Messages";

    public static readonly IntParameter HighValueThreshold = new(
        "high_value_threshold", "High value from", "A lead worth this much is of high value.", 10_000, 0, int.MaxValue)
    { Section = Situations };

    public static readonly IntParameter StaleLeadDays = new(
        "stale_lead_days", "Days without contact", "A lead that nobody has contacted for this many days is stale.", 7, 1, 3650)
    { Section = Situations };

    public static readonly IntParameter OverdueTaskHours = new(
        "overdue_task_hours", "Hours overdue", "Tell about tasks that are past their due date by this many hours.", 24, 0, 8760)
    { Section = Situations };

    public static readonly IntParameter ConversionDropThreshold = new(
        "conversion_drop_threshold", "Conversion drop, points", "Tell when conversion fell by at least this many percentage points, credibly.", 10, 1, 100)
    { Section = Situations };

    public static readonly ChoiceParameter ConversionPeriod = new(
        "conversion_period", "Conversion period", "Compare the last complete week or month (UTC) with the one before.", "week", "week", "month")
    { Section = Situations };

    public static readonly IntParameter HotLeadScore = new(
        "hot_lead_score", "Hot from score", "A fresh lead with this score is hot.", 80, 0, 100)
    { Section = Situations };

    public static readonly IntParameter HotLeadHours = new(
        "hot_lead_hours", "Hours to first contact", "A hot lead must not wait longer than this for its first contact.", 4, 0, 8760)
    { Section = Situations };

    public static readonly IntParameter QuietHours = new(
        "reopen_quiet_hours", "Quiet hours", "A situation that comes back within this many hours goes on without being told again. 0: it opens anew each time.", 24, 0, 8760)
    { Section = LifeCycle };

    public static readonly IntParameter RestDays = new(
        "resolved_rest_days", "Rest days", "An alert that a person resolved opens again after this many days, if its situation still lasts.", 7, 1, 3650)
    { Section = LifeCycle };

    public static readonly BoolParameter NotifySlack = new(
        "notify_slack", "Tell Slack", "One message a run with news, where a Slack connection is configured.", true)
    { Section = Messages };

    public static readonly BoolParameter NotifyReps = new(
        "notify_reps", "Tell reps", "An e-mail to each rep with news of their own, where an e-mail connection is configured.", true)
    { Section = Messages };

    public static readonly TextParameter EmailRecipients = new(
        "email_recipients", "E-mail recipients", "Addresses that get all news by e-mail, separated by commas.", 4000)
    { Section = Messages };

    public static readonly ChoiceParameter Language = new(
        "language", "Language", "Language of the messages; reps who name English or Spanish first get that.", "en", "en", "es")
    { Section = Messages };

    public static JobDefinition Evaluate { get; } = new(
        "alerts evaluate",
        "Find situations that need a person, keep their alerts up to date, tell what is new",
        CommonParameters.With(
            sharded: false, HighValueThreshold, StaleLeadDays, OverdueTaskHours, ConversionDropThreshold, ConversionPeriod, HotLeadScore, HotLeadHours,
            QuietHours, RestDays, NotifySlack, NotifyReps, EmailRecipients, Language),
        EvaluateAlerts.RunAsync)
    {
        Check = values => Addresses(values).Where(address => !Address().IsMatch(address)).Select(address =>
            $"{EmailRecipients.Name}: {Quoted.Text(address)} is not allowed; allowed: e-mail addresses, separated by commas"),
    };

    public static string[] Addresses(ParameterValues values) =>
        values.Get(EmailRecipients)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).ToArray() ?? [];

    [GeneratedRegex(@"^[^@\s]+@[^@\s]+\.[^@.\s]{2,}$")]
    private static partial Regex Address();
}
