-- Who may do what: THE decision about every table, view and function of the schema. db roles apply grants by it; db roles status and validate
-- compare the catalogue with it; a test fails for an object that is not here.
--
-- S select, I insert, U update, D delete, X execute; - nothing. Nobody but the owner gets TRUNCATE, REFERENCES or TRIGGER.
--   worker       runs every job and the commands for people
--   analyst      reads reports; personal columns are left out of the grant, and analyst_pii (an analyst) has them too
--   rep          reads and updates her own rows, which row_security.sql defines; may update the columns listed
-- Functions: P = PUBLIC may execute it as well (reads no table; views need it, also for roles of your own).
-- Trigger functions are executed by nobody: T runs with the rights of who writes, O with the owner's, because reps may not write what follows
-- from their change (history, tasks, the CRM's queue). Types (E) are listed for their owner.
-- A partition is its parent's; jobs may read it by itself (backups do), and nobody may write it by itself.
SELECT m.object, m.worker, m.analyst, m.rep, coalesce(m.personal, '') AS personal, coalesce(m.rep_updates, '') AS rep_updates
FROM (VALUES
  -- Leads and deals
  ('leads', 'SIUD', '-', 'S', NULL, NULL),
  ('sales_pipeline', 'SIUD', '-', 'S', NULL, 'stage,notes,first_contact_at,last_contact_at,next_followup_at'),
  ('sales_stage_history', 'SIUD', '-', 'S', NULL, NULL),
  ('sales_followup_tasks', 'SIUD', '-', 'S', NULL, 'status,completed_at,completed_by'),
  ('lead_aliases', 'SIUD', '-', '-', NULL, NULL),
  ('lead_engagement', 'SIUD', '-', '-', NULL, NULL),
  ('lead_engagement_events', 'SIUD', '-', '-', NULL, NULL),
  ('consent_changes', 'SIUD', '-', '-', NULL, NULL),
  ('pipeline_outcomes', 'SIUD', '-', '-', NULL, NULL),
  ('suppressions', 'SIUD', '-', '-', NULL, NULL),
  -- Lead sources
  ('lead_imports', 'SIUD', '-', '-', NULL, NULL),
  ('lead_import_rows', 'SIUD', '-', '-', NULL, NULL),
  ('lead_import_events', 'SIUD', '-', '-', NULL, NULL),
  ('lead_import_people', 'SIUD', '-', '-', NULL, NULL),
  ('lead_import_mappings', 'SIUD', '-', '-', NULL, NULL),
  ('bot_patterns', 'SIUD', '-', '-', NULL, NULL),
  ('free_mail_domains', 'SIUD', '-', '-', NULL, NULL),
  -- Scoring
  ('scoring_rules', 'SIUD', '-', '-', NULL, NULL),
  ('scoring_rule_source_words', 'SIUD', '-', '-', NULL, NULL),
  ('scoring_source_points', 'SIUD', '-', '-', NULL, NULL),
  ('scoring_blocks', 'SIUD', '-', '-', NULL, NULL),
  ('lead_scores', 'SIUD', '-', '-', NULL, NULL),
  ('lead_score_due', 'SIUD', '-', '-', NULL, NULL),
  ('lead_model_scores', 'SIUD', '-', '-', NULL, NULL),
  -- Reps and routing
  ('sales_reps', 'SIUD', '-', 'S', NULL, NULL),
  ('sales_rep_absences', 'SIUD', '-', '-', NULL, NULL),
  ('rep_logins', 'S', '-', 'S', NULL, NULL),
  ('routing_runs', 'SIUD', '-', '-', NULL, NULL),
  ('routing_run_reps', 'SIUD', '-', '-', NULL, NULL),
  ('routing_run_classes', 'SIUD', '-', '-', NULL, NULL),
  ('routing_decisions', 'SIUD', '-', '-', NULL, NULL),
  -- Follow-up, campaigns, messages
  ('followup_checks', 'SIUD', '-', '-', NULL, NULL),
  ('followup_settings', 'SIUD', '-', '-', NULL, NULL),
  ('followup_templates', 'SIUD', '-', '-', NULL, NULL),
  ('followup_template_texts', 'SIUD', '-', '-', NULL, NULL),
  ('sales_campaigns', 'SIUD', '-', '-', NULL, NULL),
  ('sales_campaign_executions', 'SIUD', '-', 'S', NULL, NULL),
  ('sales_campaign_events', 'SIUD', '-', 'S', NULL, NULL),
  ('campaign_enrollment_runs', 'SIUD', '-', '-', NULL, NULL),
  ('outbox_messages', 'SIUD', '-', '-', NULL, NULL),
  ('delivery_connections', 'SIUD', '-', '-', NULL, NULL),
  ('sending_policy', 'SIUD', '-', '-', NULL, NULL),
  ('stored_files', 'SIUD', '-', '-', NULL, NULL),
  ('time_zones', 'S', '-', '-', NULL, NULL),
  -- Predictions, timing, experiments
  ('ml_models', 'SIUD', '-', '-', NULL, NULL),
  ('ml_drift', 'SIUD', '-', '-', NULL, NULL),
  ('deal_predictions', 'SIUD', '-', '-', NULL, NULL),
  ('deal_prediction_history', 'SIUD', '-', '-', NULL, NULL),
  ('deal_prediction_due', 'SIUD', '-', '-', NULL, NULL),
  ('deal_prediction_blocks', 'SIUD', '-', '-', NULL, NULL),
  ('timing_state', 'SIUD', '-', '-', NULL, NULL),
  ('timing_counts', 'SIUD', '-', '-', NULL, NULL),
  ('timing_gaps', 'SIUD', '-', '-', NULL, NULL),
  ('timing_intervals', 'SIUD', '-', '-', NULL, NULL),
  ('timing_lift', 'SIUD', '-', '-', NULL, NULL),
  ('timing_moves', 'SIUD', '-', '-', NULL, NULL),
  ('timing_profiles', 'SIUD', '-', '-', NULL, NULL),
  ('timing_slots', 'SIUD', '-', '-', NULL, NULL),
  ('lead_contact_timing', 'SIUD', '-', '-', NULL, NULL),
  ('experiments', 'SIUD', '-', '-', NULL, NULL),
  ('experiment_assignments', 'SIUD', '-', '-', NULL, NULL),
  -- Alerts, reports, runs
  ('alerts', 'SIUD', '-', '-', NULL, NULL),
  ('alert_situations', 'SIUD', '-', '-', NULL, NULL),
  ('job_schedules', 'SIUD', '-', '-', NULL, NULL),
  ('reports', 'SIUD', '-', '-', NULL, NULL),
  ('report_files', 'SIUD', '-', '-', NULL, NULL),
  ('report_forecasts', 'SIUD', '-', '-', NULL, NULL),
  ('task_runs', 'SIUD', '-', '-', NULL, NULL),
  -- CRM
  ('crm_states', 'SIUD', '-', '-', NULL, NULL),
  ('crm_changes', 'SIUD', '-', '-', NULL, NULL),
  ('crm_links', 'SIUD', '-', '-', NULL, NULL),
  ('crm_conflicts', 'SIUD', '-', '-', NULL, NULL),
  ('crm_cursors', 'SIUD', '-', '-', NULL, NULL),
  ('crm_staged', 'SIUD', '-', '-', NULL, NULL),
  ('crm_slots', 'SIUD', '-', '-', NULL, NULL),
  ('crm_quotas', 'SIUD', '-', '-', NULL, NULL),
  -- Privacy, encryption, backups, adoption: nothing of it is for analysts and reps, who have no grant, so there is no row to choose from. Jobs add the
  -- key that persons are hashed with, and cannot read it: functions with the owner's rights hash for them.
  ('privacy_secret', 'I', '-', '-', NULL, NULL),
  ('privacy_requests', 'SIU', '-', '-', NULL, NULL),
  ('privacy_tombstones', 'SID', '-', '-', NULL, NULL),
  ('privacy_refusals', 'SI', '-', '-', NULL, NULL),
  ('privacy_crm_erasures', 'SIU', '-', '-', NULL, NULL),
  ('encryption_state', 'SIUD', '-', '-', NULL, NULL),
  ('encryption_keys', 'SID', '-', '-', NULL, NULL),
  ('sealed_values', 'SIUD', '-', '-', NULL, NULL),
  ('lead_import_sealed', 'SIUD', '-', '-', NULL, NULL),
  ('retention_rules', 'SIUD', '-', '-', NULL, NULL),
  ('backups', 'SIU', '-', '-', NULL, NULL),
  ('restorations', 'SU', '-', '-', NULL, NULL),
  -- Of an adoption, which is the owner's, jobs see that there was one, and export and erase what it says of a person.
  ('adoptions', 'S', '-', '-', NULL, NULL),
  ('adoption_findings', 'SD', '-', '-', NULL, NULL),
  ('adoption_tables', '-', '-', '-', NULL, NULL),
  ('adoption_rows', '-', '-', '-', NULL, NULL),
  ('adoption_words', '-', '-', '-', NULL, NULL),
  ('adopting_leads', '-', '-', '-', NULL, NULL),
  ('adopting_lead_score_history', '-', '-', '-', NULL, NULL),
  ('adopting_sales_pipeline', '-', '-', '-', NULL, NULL),
  ('adopting_sales_followup_tasks', '-', '-', '-', NULL, NULL),
  ('adopting_sales_campaigns', '-', '-', '-', NULL, NULL),
  ('adopting_sales_campaign_executions', '-', '-', '-', NULL, NULL),
  ('adopting_sales_campaign_events', '-', '-', '-', NULL, NULL),
  -- The owner's alone: what has been done to the schema, by whom, and who may do what
  ('schema_migrations', 'S', '-', '-', NULL, NULL),
  ('audit_log', 'S', '-', '-', NULL, NULL),
  ('audit_retention', 'S', '-', '-', NULL, NULL),
  ('database_roles', 'S', '-', '-', NULL, NULL),

  -- Views
  ('v_sales_dashboard', 'S', 'S', 'S', 'email,full_name', NULL),
  ('v_leads_requires_attention', 'S', 'S', 'S', 'email,first_name,last_name,phone,notes,metadata', NULL),
  ('v_sales_dashboard_no_pii', 'S', 'S', 'S', NULL, NULL),
  ('v_leads_requires_attention_no_pii', 'S', 'S', 'S', NULL, NULL),
  ('v_sales_rep_performance', 'S', 'S', 'S', NULL, NULL),
  ('v_sales_forecast', 'S', 'S', 'S', NULL, NULL),
  ('v_conversion_funnel', 'S', 'S', 'S', NULL, NULL),
  ('mv_sales_metrics', 'S', 'S', '-', NULL, NULL),
  ('lead_score_history', 'SIUD', 'S', 'S', NULL, NULL),
  ('v_routing_decisions', 'S', 'S', '-', NULL, NULL),
  ('v_campaign_variants', 'S', 'S', '-', NULL, NULL),
  ('v_alert_usefulness', 'S', '-', '-', NULL, NULL),
  ('v_job_health', 'S', 'S', '-', NULL, NULL),
  ('v_outbox_health', 'S', 'S', '-', NULL, NULL),
  ('v_model_health', 'S', 'S', '-', NULL, NULL),
  ('v_ml_drift', 'S', 'S', '-', NULL, NULL),
  ('campaign_leads', 'S', '-', '-', NULL, NULL),
  ('campaign_stop_reasons', 'S', '-', '-', NULL, NULL),
  ('held_out_leads', 'S', '-', '-', NULL, NULL),

  -- Functions people call
  ('get_top_opportunities', 'X', '-', 'X', 'X', NULL),
  ('get_leads_at_risk', 'X', '-', 'X', 'X', NULL),
  ('get_top_opportunities_no_pii', 'X', 'X', 'X', NULL, NULL),
  ('get_leads_at_risk_no_pii', 'X', 'X', 'X', NULL, NULL),
  ('calculate_lead_score', 'XP', 'X', 'X', NULL, NULL),
  ('auto_assign_sales_rep', 'X', '-', '-', NULL, NULL),
  ('update_rep_stats', 'X', '-', '-', NULL, NULL),
  -- Functions that views, column defaults and checks use
  ('sales_now', 'XP', 'X', 'X', NULL, NULL),
  ('ml_prediction', 'XP', 'X', 'X', NULL, NULL),
  ('sees_all_rows', 'XP', 'X', 'X', NULL, NULL),
  ('address_hash', 'XP', 'X', 'X', NULL, NULL),
  ('wilson_low', 'XP', 'X', 'X', NULL, NULL),
  ('wilson_high', 'XP', 'X', 'X', NULL, NULL),
  -- Functions of jobs
  ('score_source', 'X', '-', '-', NULL, NULL),
  ('engagement_add', 'X', '-', '-', NULL, NULL),
  ('lead_score_calculation', 'X', '-', '-', NULL, NULL),
  ('next_send_time', 'X', '-', '-', NULL, NULL),
  ('stopped_messages', 'X', '-', '-', NULL, NULL),
  ('judge_messages', 'X', '-', '-', NULL, NULL),
  ('sales_instant', 'X', '-', '-', NULL, NULL),
  ('deal_meeting_at', 'X', '-', '-', NULL, NULL),
  ('followup_due_at', 'X', '-', '-', NULL, NULL),
  ('followup_decisions', 'X', '-', '-', NULL, NULL),
  ('pipeline_facts', 'X', '-', '-', NULL, NULL),
  ('stop_campaigns', 'X', '-', '-', NULL, NULL),
  ('deal_features', 'X', '-', '-', NULL, NULL),
  ('timing_segment', 'X', '-', '-', NULL, NULL),
  ('timing_hash', 'X', '-', '-', NULL, NULL),
  ('contact_arm', 'X', '-', '-', NULL, NULL),
  ('contact_explores', 'X', '-', '-', NULL, NULL),
  ('contact_attempts', 'X', '-', '-', NULL, NULL),
  ('contact_slot', 'X', '-', '-', NULL, NULL),
  ('contact_slots', 'X', '-', '-', NULL, NULL),
  ('alert_usefulness', 'X', '-', '-', NULL, NULL),
  ('rate_drop_p', 'X', '-', '-', NULL, NULL),
  ('is_rate_drop', 'X', '-', '-', NULL, NULL),
  ('experiment_bucket', 'X', '-', '-', NULL, NULL),
  ('audit_difference', '-', '-', '-', NULL, NULL),
  ('sealed_otherwise', 'X', '-', '-', NULL, NULL),
  ('person_text', 'X', '-', '-', NULL, NULL),
  ('without_person', 'X', '-', '-', NULL, NULL),
  ('current_key_epoch', 'X', '-', '-', NULL, NULL),
  ('adoption_fold', '-', '-', '-', NULL, NULL),
  ('adoption_key', '-', '-', '-', NULL, NULL),
  ('adoption_text', '-', '-', '-', NULL, NULL),
  ('adoption_rule', '-', '-', '-', NULL, NULL),
  ('adoption_number', '-', '-', '-', NULL, NULL),
  ('adoption_within', '-', '-', '-', NULL, NULL),
  ('adoption_past', '-', '-', '-', NULL, NULL),
  ('adoption_limit', '-', '-', '-', NULL, NULL),
  ('adoption_instant', '-', '-', '-', NULL, NULL),
  ('adoption_json', '-', '-', '-', NULL, NULL),
  ('adoption_flag', '-', '-', '-', NULL, NULL),
  -- With the owner's rights
  ('person_hash', 'X', '-', '-', NULL, NULL),
  ('erased_persons', 'X', '-', '-', NULL, NULL),
  ('ensure_lead_scores_partition', 'X', '-', '-', NULL, NULL),
  ('drop_lead_scores_partition', 'X', '-', '-', NULL, NULL),
  ('ensure_audit_partition', 'X', '-', '-', NULL, NULL),
  ('drop_old_audit', 'X', '-', '-', NULL, NULL),
  ('audit_event', 'X', '-', '-', NULL, NULL),
  ('analyze_table', 'X', '-', '-', NULL, NULL),
  ('refresh_sales_metrics', 'X', '-', '-', NULL, NULL)
) AS m (object, worker, analyst, rep, personal, rep_updates)
UNION ALL
SELECT unnest(string_to_array(
  'alert_severity pipeline_stage priority_level routing_outcome routing_reason', ' ')), 'E', '-', '-', '', ''
UNION ALL
-- Fired by what reps may write, or by what follows from it; and those that look at what jobs may not read.
SELECT unnest(string_to_array(
  'audit_deal_changed audit_deals_added audit_deals_removed audit_rows audit_truncated check_deal crm_deal_changed deal_follows_task followup_meeting_moved '
  'followup_task_becomes_theirs followup_task_closed followup_task_completed followup_tasks_follow_deal keep_erased_out look_for_erased '
  'move_next_followup record_stage_change', ' ')),
  'O', '-', '-', '', ''
UNION ALL
SELECT unnest(string_to_array(
  'adoption_leads_deleted assign_experiment campaign_event_happened campaign_events_inserted check_all_deals check_new_deals crm_deals_deleted crm_lead_changed '
  'crm_leads_added crm_leads_deleted crm_link_loses_lead crm_rows_added deal_follows_lead deal_is_due deals_deleted deals_follow_events '
  'deals_follow_stages deals_follow_tasks deals_follow_timing deals_truncated engagement_deleted engagement_inserted '
  'engagement_updated every_deal_is_due everything_is_due fold_assigned_to fold_rep_email followup_tasks_inserted keep_assigned_at keep_closed_at '
  'keep_completed_at lead_score_history_write leads_changed leads_deleted leads_inserted leads_truncated model_score_changed '
  'model_score_updated prediction_is_due record_consent_change record_first_stages replies_inserted reply_found routing_leads_deleted routing_leads_truncated '
  'routing_runs_deleted scoring_rules_are_kept sending_policy_changed set_updated_at', ' ')),
  'T', '-', '-', '', ''
