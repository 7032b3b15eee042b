-- Gives each treated lead of an open deal the interval of its segment where one is credible, and takes back what was given before and no longer
-- is. What a person set stays. @use false: takes all of it back.
WITH wanted AS MATERIALIZED (
  SELECT p.lead_ext_id, i.interval_days
  FROM sales_pipeline p
  JOIN leads l ON l.ext_id = p.lead_ext_id
  JOIN timing_intervals i ON i.segment = coalesce((SELECT o.segment FROM timing_intervals o WHERE o.segment = timing_segment(l.industry)), '*')
  WHERE @use AND p.stage < 'closed_won' AND i.credible AND contact_arm(p.lead_ext_id) = 'treated'
), held AS MATERIALIZED (
  SELECT c.lead_ext_id
  FROM lead_contact_timing c
  WHERE c.set_by = 'timing'
  ORDER BY c.lead_ext_id
  FOR UPDATE
), gone AS (
  DELETE FROM lead_contact_timing c
  USING held h
  WHERE c.lead_ext_id = h.lead_ext_id AND NOT EXISTS (SELECT FROM wanted w WHERE w.lead_ext_id = c.lead_ext_id)
  RETURNING 1
), given AS (
  INSERT INTO lead_contact_timing AS c (lead_ext_id, interval_days, learned_at, set_by)
  SELECT w.lead_ext_id, w.interval_days, @as_of, 'timing' FROM wanted w ORDER BY w.lead_ext_id
  ON CONFLICT (lead_ext_id) DO UPDATE SET interval_days = excluded.interval_days, learned_at = excluded.learned_at
  WHERE c.set_by = 'timing' AND c.interval_days <> excluded.interval_days
  RETURNING 1
)
SELECT (SELECT count(*) FROM given), (SELECT count(*) FROM gone)
