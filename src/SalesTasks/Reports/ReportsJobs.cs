using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.Reports;

/// <summary>The steps of the DAG <c>sales_analytics_reports</c> and their parameters.</summary>
internal static class ReportsJobs
{
    private const string ReportPart = "Report";
    private const string DeliveryPart = "Delivery";

    public static readonly ChoiceParameter ReportType = new(
        "report_type", "Report type", "weekly: the last complete ISO week; monthly: the last complete month. In UTC.",
        ReportPeriod.Weekly, ReportPeriod.Weekly, ReportPeriod.Monthly)
    { Section = ReportPart };

    public static readonly ChoiceParameter Language = new("language", "Language", "Language of the page and of the messages.", "en", "en", "es")
    { Section = ReportPart };

    public static readonly TextParameter Output = new(
        "output", "Folder", "Write the files into this folder, under TYPE/PERIOD. Left out: none; the report is kept in the database.")
    { Section = DeliveryPart };

    public static readonly BoolParameter ExportToS3 = new(
        "export_to_s3", "Export to S3", "Put the files into S3-compatible storage, by the connection of SALES_S3_CONN_ID.", false)
    { Section = DeliveryPart };

    public static readonly TextParameter S3Bucket = new("s3_bucket", "S3 bucket", "The bucket; needed where export_to_s3 is true.", 63)
    { Section = DeliveryPart };

    public static readonly TextParameter S3Path = new(
        "s3_path", "S3 path", "What the keys begin with: S3_PATH/TYPE/PERIOD/FILE.", 500, "sales_reports")
    { Section = DeliveryPart };

    public static readonly BoolParameter Slack = new("slack", "Slack summary", "Send the figures to Slack, by the connection of SALES_SLACK_CONN_ID.", false)
    { Section = DeliveryPart };

    public static readonly AddressesParameter EmailRecipients = new(
        "email_recipients", "E-mail recipients",
        "Who gets the report as an e-mail with the page attached, by the connection of SALES_EMAIL_CONN_ID: a list, or addresses separated by commas.")
    { Section = DeliveryPart };

    public static JobDefinition Build { get; } = new(
        "reports build",
        "Build the report of the last complete week or month from one snapshot and keep it",
        CommonParameters.With(sharded: false, ReportType, Language, Output),
        BuildReport.RunAsync);

    public static JobDefinition Deliver { get; } = new(
        "reports deliver",
        "Bring the report to a folder, to S3-compatible storage, and to people by e-mail and Slack",
        CommonParameters.With(sharded: false, ReportType, Language, Output, ExportToS3, S3Bucket, S3Path, Slack, EmailRecipients),
        DeliverReport.RunAsync)
    {
        Check = static values => values.Get(ExportToS3) && values.Get(S3Bucket) is null
            ? ["s3_bucket: it is not given; allowed: the name of a bucket, since export_to_s3 is true"]
            : [],
    };
}
