-- Why a lead is with whom: who has it and since when, the latest decisions with their candidates, and why each rep without a place among them was
-- out of the question in the latest one. Null for a lead that is not in the pipeline.
SELECT jsonb_build_object(
  'assigned_to', p.assigned_to,
  'assigned_at', p.assigned_at,
  'reassignments', p.reassignments,
  'decisions', coalesce((
    SELECT jsonb_agg(to_jsonb(v) - 'lead_ext_id' ORDER BY v.run_id DESC)
    FROM (SELECT * FROM v_routing_decisions d WHERE d.lead_ext_id = p.lead_ext_id ORDER BY d.run_id DESC LIMIT 5) AS v), '[]'),
  'excluded_reps', coalesce((
    SELECT jsonb_agg(jsonb_build_object('rep', r.email, 'reason', x.reason) ORDER BY x.reason, r.email)
    FROM (SELECT * FROM routing_decisions d WHERE d.lead_id = l.lead_id ORDER BY d.run_id DESC LIMIT 1) AS d
    JOIN routing_runs u ON u.id = d.run_id
    JOIN routing_run_classes k ON k.run_id = d.run_id AND k.class = d.class
    JOIN routing_run_reps r ON r.run_id = d.run_id
    CROSS JOIN LATERAL (SELECT CASE
      WHEN NOT r.active THEN 'inactive'
      WHEN r.absent THEN 'absent'
      WHEN k.language <> '' AND cardinality(r.languages) > 0 AND k.language <> ALL (r.languages) THEN 'language'
      WHEN k.region || k.country <> '' AND cardinality(r.regions) > 0 AND k.region <> ALL (r.regions) AND k.country <> ALL (r.regions) THEN 'region'
      WHEN r.load >= coalesce(r.capacity, (u.settings ->> 'max_active_leads_per_rep')::int) THEN 'full'
    END AS reason) AS x
    WHERE x.reason IS NOT NULL), '[]'))::text
FROM sales_pipeline p
JOIN leads l ON l.ext_id = p.lead_ext_id
WHERE p.lead_ext_id = @lead
