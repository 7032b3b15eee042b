namespace SalesTasks.Privacy;

/// <summary>What an erasure does with a table.</summary>
internal enum Erasure
{
    /// <summary>Rows stay: they hold nothing personal once the lead's id is another one.</summary>
    Kept,

    /// <summary>Rows stay as numbers, what is personal in them goes.</summary>
    Anonymous,

    /// <summary>Rows go.</summary>
    Removed,
}

/// <summary>A table that holds something about a person.</summary>
/// <param name="Name">Of the table.</param>
/// <param name="Erasure">What becomes of its rows.</param>
/// <param name="Origin">Where it comes from, as an export tells.</param>
/// <param name="Texts">Its columns that can hold text, all of them: what is not kept is emptied, replaced, or read through for the person.</param>
internal sealed record PersonalTable(string Name, Erasure Erasure, string Origin, string Texts)
{
    /// <summary>Of those the columns that stay as they are, and hold nothing personal.</summary>
    public string Kept { get; init; } = "";

    /// <summary>Statements of <c>sql/privacy/export</c>; the first has the table's name.</summary>
    public IReadOnlyList<string> Exports => [Name, .. MoreExports];

    public IReadOnlyList<string> MoreExports { get; init; } = [];

    /// <summary>Statements of <c>sql/privacy/erase</c>, in their order; none where all is kept.</summary>
    public IReadOnlyList<string> Erases { get; init; } = Erasure is Erasure.Kept ? [] : [Name];

    public static IReadOnlyList<string> Words(string columns) => columns.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>
/// Every table, and whether it can hold something about a person: the one list that exports and erasures work by, and that a test compares
/// with the database's catalogue. A new table, or a new column that can hold text, fails the test until it stands here.
/// </summary>
internal static class PersonalData
{
    /// <summary>
    /// In the order of an erasure: what hangs on the lead before the lead, and last what triggers write down on the way.
    /// </summary>
    public static IReadOnlyList<PersonalTable> Tables { get; } =
    [
        new("crm_staged", Erasure.Removed, "CRM, read and not yet merged", "crm object crm_id key merged_ids related_id properties"),
        new("crm_links", Erasure.Anonymous, "CRM sync", "crm object key lead_ext_id crm_id status merged_into our_base their_base sending related_to problem problem_values")
        {
            Kept = "crm object crm_id status merged_into",
            Erases = ["crm_queue", "crm_links_let_go", "crm_links"],
        },
        new("crm_conflicts", Erasure.Removed, "CRM sync", "lead_ext_id field base_value our_value their_value winner reason run_id"),
        new("outbox_messages", Erasure.Anonymous, "messages: campaigns, follow-up, alerts, summaries",
            "idempotency_key key_epoch channel purpose lead_ext_id recipient payload status time_zone connection_id reason")
        {
            Kept = "key_epoch channel purpose status time_zone connection_id",
            MoreExports = ["outbox_of_no_lead"],
            Erases = ["outbox_messages", "outbox_of_no_lead"],
        },
        new("sales_campaign_events", Erasure.Anonymous, "campaigns", "lead_ext_id event_type status metadata") { Kept = "event_type status" },
        new("sales_campaign_executions", Erasure.Anonymous, "campaigns", "lead_ext_id status metadata") { Kept = "status" },
        new("sales_pipeline", Erasure.Anonymous, "qualification, sales people, CRM",
            "lead_ext_id email first_name last_name phone source utm_source utm_campaign assigned_to notes metadata") { Kept = "assigned_to" },
        new("sales_followup_tasks", Erasure.Anonymous, "follow-up, sales people",
            "lead_ext_id task_type task_title task_description status assigned_to completed_by metadata") { Kept = "task_type status assigned_to" },
        new("sales_stage_history", Erasure.Anonymous, "pipeline", "lead_ext_id changed_by"),
        new("followup_checks", Erasure.Removed, "follow-up", ""),
        new("pipeline_outcomes", Erasure.Removed, "follow-up", "kind lead_ext_id"),
        new("lead_contact_timing", Erasure.Removed, "timing", "lead_ext_id set_by"),
        new("timing_moves", Erasure.Removed, "timing", "kind lead_ext_id"),
        new("lead_engagement_events", Erasure.Anonymous, "lead sources: replies, clicks, visits",
            "lead_ext_id event_type source source_event_id bot_reason metadata") { Kept = "event_type" },
        new("lead_engagement", Erasure.Kept, "counted from lead_engagement_events", ""),
        new("lead_scores", Erasure.Anonymous, "scoring", "calculated_by scoring_factors"),
        new("lead_model_scores", Erasure.Removed, "predictions", "model_version"),
        new("deal_predictions", Erasure.Removed, "predictions", "answered_by contributions recommendations"),
        new("deal_prediction_history", Erasure.Kept, "predictions", "answered_by") { Kept = "answered_by" },
        new("deal_prediction_due", Erasure.Kept, "predictions", ""),
        new("routing_decisions", Erasure.Kept, "routing", ""),
        new("experiment_assignments", Erasure.Anonymous, "experiments", "lead_ext_id arm source") { Kept = "arm" },
        new("alerts", Erasure.Anonymous, "alerts", "kind situation_key status owner lead_ext_id facts acknowledged_by snoozed_by resolved_by")
        {
            Kept = "kind status owner acknowledged_by snoozed_by resolved_by",
            MoreExports = ["alerts_of_no_lead"],
            Erases = ["alerts", "alerts_of_no_lead"],
        },
        new("task_runs", Erasure.Anonymous, "runs of jobs", "command dag_id task_id run_id started_by host program_version parameters status result error")
        {
            Kept = "command dag_id task_id run_id started_by host program_version status",
        },
        new("lead_import_rows", Erasure.Removed, "imports under way",
            "target ext_id source first_name last_name email phone utm_source utm_campaign company_name company_domain industry product_interest language "
            + "country region time_zone attributes raw"),
        new("lead_import_events", Erasure.Removed, "imports under way", "lead_ext_id email event_type source source_event_id user_agent bot_reason metadata raw"),
        new("lead_import_people", Erasure.Removed, "imports under way", "ext_id email_key phone_key first_name_key last_name_key"),
        new("lead_import_sealed", Erasure.Removed, "imports under way", "token sealed"),
        new("adoption_findings", Erasure.Removed, "db adopt: rows of the old installation that were mended or set aside",
            "table_name row_key lead_ext_id rule column_name was became old_row"),
        new("sealed_values", Erasure.Removed, "encrypted numbers and notes", "token key_id sealed"),
        new("stored_files", Erasure.Removed, "reports and attachments", "sha256 content_type content") { Erases = [] },
        new("lead_aliases", Erasure.Removed, "lead sources", "alias_ext_id ext_id matched_by"),
        new("suppressions", Erasure.Kept, "opt-outs, bounces, erasures; hashed", "address_hash channel reason suppressed_by")
        {
            Kept = "address_hash channel reason suppressed_by",
        },
        new("privacy_requests", Erasure.Kept, "requests about the person; hashed", "kind subject_hash requested_by reason counts")
        {
            Kept = "kind subject_hash requested_by reason counts",
        },
        new("audit_log", Erasure.Kept, "the audit trail: changes to deals, who read about the person; hashed",
            "operation subject row_key changes personal db_user db_role program os_user run")
        {
            Kept = "operation subject row_key changes personal db_user db_role program os_user run",
        },
        new("leads", Erasure.Anonymous, "lead sources: imports, CRM, other tools",
            "ext_id source first_name last_name email phone utm_source utm_campaign company_name company_domain industry product_interest language country "
            + "region time_zone attributes domain"),
        new("consent_changes", Erasure.Removed, "opt-ins and opt-outs", "lead_ext_id channel changed_by"),
        new("crm_changes", Erasure.Removed, "CRM sync", "crm lead_ext_id"),
        new("lead_score_due", Erasure.Removed, "scoring", ""),
    ];

    /// <summary>Tables without anything about leads, and why.</summary>
    public static IReadOnlyDictionary<string, string> Others { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["schema_migrations"] = "the schema's history",
        ["scoring_rules"] = "rules",
        ["scoring_rule_source_words"] = "rules",
        ["scoring_source_points"] = "names of lead sources",
        ["scoring_blocks"] = "progress of scoring",
        ["free_mail_domains"] = "a list of domains",
        ["sales_campaigns"] = "texts for all leads",
        ["campaign_enrollment_runs"] = "progress of enrolment",
        ["sales_reps"] = "our own people",
        ["sales_rep_absences"] = "our own people",
        ["lead_import_mappings"] = "names of columns",
        ["lead_imports"] = "heartbeats of imports",
        ["bot_patterns"] = "names of programs",
        ["time_zones"] = "names of zones",
        ["sending_policy"] = "settings",
        ["delivery_connections"] = "state of receivers",
        ["followup_templates"] = "texts for all leads",
        ["followup_template_texts"] = "texts for all leads",
        ["followup_settings"] = "settings",
        ["routing_runs"] = "settings and figures of a run",
        ["routing_run_reps"] = "our own people",
        ["routing_run_classes"] = "groups of leads",
        ["deal_prediction_blocks"] = "progress of predictions",
        ["ml_models"] = "trained models: figures of groups",
        ["ml_drift"] = "figures of models",
        ["timing_state"] = "figures",
        ["timing_counts"] = "figures of groups",
        ["timing_gaps"] = "figures of groups",
        ["timing_profiles"] = "figures of groups",
        ["timing_slots"] = "figures of groups",
        ["timing_intervals"] = "figures of groups",
        ["timing_lift"] = "figures of groups",
        ["alert_situations"] = "work table, empty outside of a transaction",
        ["job_schedules"] = "settings",
        ["reports"] = "figures; its files are in stored_files",
        ["report_files"] = "names of files",
        ["report_forecasts"] = "figures",
        ["experiments"] = "settings",
        ["crm_states"] = "state of a CRM",
        ["crm_cursors"] = "progress of reading",
        ["crm_slots"] = "calls to a CRM",
        ["crm_quotas"] = "calls to a CRM",
        ["encryption_state"] = "settings",
        ["encryption_keys"] = "ids of keys",
        ["audit_retention"] = "settings",
        ["rep_logins"] = "our own people",
        ["database_roles"] = "names of roles",
        ["adoptions"] = "that there was one",
        ["adoption_tables"] = "figures",
        ["adoption_rows"] = "work table, empty outside of a transaction",
        ["adoption_words"] = "words for stages and states",
        ["backups"] = "names and sizes of backups",
        ["restorations"] = "restores and their instants",
        ["retention_rules"] = "settings",
        ["privacy_secret"] = "the key of hashes",
        ["privacy_tombstones"] = "hashes: who must not come back",
        ["privacy_refusals"] = "instants",
        ["privacy_crm_erasures"] = "ids of records in a CRM, which has erased them",
    };
}
