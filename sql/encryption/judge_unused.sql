-- Looks at the values after @after and @after_token, @limit of them: what nothing of the lead holds any more is noted, and deleted a day later if it is still
-- so (a job that read the token just before it went writes it within minutes). Returns the last one looked at.
WITH page AS MATERIALIZED (
  SELECT v.lead_id, v.token FROM sealed_values v WHERE (v.lead_id, v.token) > (@after, @after_token) ORDER BY v.lead_id, v.token LIMIT @limit
), judged AS MATERIALIZED (
  SELECT g.lead_id, g.token, (
    l.phone = g.token
    OR EXISTS (SELECT FROM sales_pipeline p WHERE p.lead_ext_id = l.ext_id AND (p.phone = g.token OR position(g.token IN p.notes) > 0))
    OR EXISTS (SELECT FROM outbox_messages m WHERE m.lead_ext_id = l.ext_id AND (m.recipient = g.token OR position(g.token IN m.payload::text) > 0))
    OR EXISTS (
      SELECT FROM sales_followup_tasks t
      WHERE t.lead_ext_id = l.ext_id AND (position(g.token IN t.task_title) > 0 OR position(g.token IN t.task_description) > 0))
  ) IS TRUE AS used
  FROM page g
  JOIN leads l ON l.lead_id = g.lead_id
), noted AS (
  UPDATE sealed_values v
  SET unused_since = CASE WHEN j.used THEN NULL ELSE now() END
  FROM judged j
  WHERE v.lead_id = j.lead_id AND v.token = j.token AND (v.unused_since IS NULL) <> j.used
), deleted AS (
  DELETE FROM sealed_values v
  USING judged j
  WHERE v.lead_id = j.lead_id AND v.token = j.token AND NOT j.used AND v.unused_since < now() - interval '1 day'
  RETURNING 1
)
SELECT g.lead_id, g.token, (SELECT count(*) FROM deleted)
FROM page g
ORDER BY g.lead_id DESC, g.token DESC
LIMIT 1
