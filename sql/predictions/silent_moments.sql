-- The moments, of those given, after which nothing happened to the deal for so many days: it stayed open, in its stage, without engagement of a
-- person and without a completed contact.
SELECT m.place
FROM unnest(@pipeline_ids::bigint[], @instants::timestamptz[]) WITH ORDINALITY AS m (id, at, place)
JOIN sales_pipeline AS p ON p.id = m.id
WHERE NOT EXISTS (
    SELECT FROM sales_stage_history AS h
    WHERE h.pipeline_id = m.id AND h.changed_at > m.at AND h.changed_at <= m.at + make_interval(days => @days::int))
  AND NOT EXISTS (
    SELECT FROM lead_engagement_events AS e
    WHERE e.lead_ext_id = p.lead_ext_id AND e.occurred_at > m.at AND e.occurred_at <= m.at + make_interval(days => @days::int) AND NOT e.is_bot)
  AND NOT EXISTS (
    SELECT FROM sales_followup_tasks AS t
    WHERE t.pipeline_id = m.id AND t.task_type IN ('email', 'call', 'meeting')
      AND t.completed_at > m.at AND t.completed_at <= m.at + make_interval(days => @days::int))
ORDER BY m.place
