-- Statistics for the planner, which autovacuum would gather only after a minute.
ANALYZE leads, lead_engagement_events, lead_engagement, lead_score_due, sales_reps, sales_pipeline, sales_stage_history,
  sales_followup_tasks, sales_campaign_executions, sales_campaign_events
