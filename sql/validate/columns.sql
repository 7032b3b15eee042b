-- Columns of the contract: what dashboards and scripts of people name.
SELECT
  'error' AS severity,
  concat(e.relation, '.', e.name) AS subject,
  'the column is missing: dashboards and scripts name it' AS detail,
  'falta la columna: la usan paneles y scripts' AS detail_es,
  'sales-tasks db status' AS fix
FROM (
  SELECT r.relation, unnest(string_to_array(r.names, ' ')) AS name
  FROM (VALUES
    ('leads', 'ext_id source first_name last_name email phone score priority utm_source utm_campaign created_at updated_at'),
    ('lead_score_history', 'id lead_ext_id score previous_score priority score_change scoring_factors calculated_at calculated_by'),
    ('sales_pipeline', 'id lead_ext_id email first_name last_name phone score priority source utm_source utm_campaign stage assigned_to '
      'qualified_at first_contact_at last_contact_at next_followup_at closed_at estimated_value probability_pct notes metadata created_at updated_at'),
    ('sales_followup_tasks', 'id pipeline_id lead_ext_id task_type task_title task_description status priority assigned_to due_date completed_at '
      'completed_by metadata created_at updated_at'),
    ('sales_campaigns', 'id name description campaign_type trigger_criteria steps_config enabled max_leads_per_run created_at updated_at'),
    ('sales_campaign_executions', 'id campaign_id lead_ext_id pipeline_id status current_step total_steps started_at completed_at next_action_at '
      'metadata created_at updated_at'),
    ('sales_campaign_events', 'id execution_id lead_ext_id step_number event_type status executed_at metadata created_at'),
    ('v_sales_dashboard', 'id lead_ext_id email full_name score priority stage assigned_to estimated_value probability_pct expected_value '
      'qualified_at last_contact_at next_followup_at days_in_pipeline days_since_contact pending_tasks overdue_tasks completed_tasks '
      'ml_probability ml_risk_score stage_label'),
    ('v_leads_requires_attention', 'id lead_ext_id email stage assigned_to estimated_value days_since_contact overdue_tasks ml_risk_score'),
    ('v_sales_rep_performance', 'assigned_to active_leads won_last_30d lost_last_30d total_closed win_rate_pct total_revenue avg_days_to_close '
      'overdue_tasks avg_lead_score weighted_pipeline'),
    ('v_sales_forecast', 'forecast_month total_deals total_pipeline_value weighted_forecast high_priority_forecast avg_probability '
      'negotiating_count proposals_count'),
    ('v_conversion_funnel', 'stage total_leads high_priority medium_priority low_priority avg_score avg_probability total_value '
      'avg_days_in_stage previous_stage_count'),
    ('mv_sales_metrics', 'date total_qualified contacted meetings_scheduled proposals_sent closed_won closed_lost win_rate_pct avg_deal_value '
      'total_pipeline_value tasks_completed tasks_overdue emails_sent calls_made')
  ) AS r (relation, names)
) AS e
JOIN pg_class c ON c.relname = e.relation AND c.relnamespace = to_regnamespace(quote_ident(current_schema()))
WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = e.name AND a.attnum > 0 AND NOT a.attisdropped)
ORDER BY e.relation, e.name
