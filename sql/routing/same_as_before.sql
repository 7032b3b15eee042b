-- Whether the latest decision of each of these leads was the same: outcome and reason. Leads that wait are decided about again and again; a run
-- that changes nothing and decides everything as before writes nothing.
SELECT NOT EXISTS (
  SELECT
  FROM unnest(@leads::bigint[], @outcomes::text[], @reasons::text[]) AS x (lead_id, outcome, reason)
  LEFT JOIN LATERAL (
    SELECT d.outcome, d.reason FROM routing_decisions d WHERE d.lead_id = x.lead_id ORDER BY d.run_id DESC LIMIT 1
  ) AS latest ON true
  WHERE (latest.outcome::text, latest.reason::text) IS DISTINCT FROM (x.outcome, x.reason))
