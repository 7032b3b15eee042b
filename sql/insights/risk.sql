-- The open deals that went quiet or are predicted to be lost, worst first.
SELECT lead_ext_id, email, stage::text AS stage, estimated_value, days_since_contact, overdue_tasks_count, ml_risk_score, risk_level
FROM get_leads_at_risk(@days::int)
LIMIT @limit::int
