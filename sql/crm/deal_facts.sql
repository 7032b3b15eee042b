-- Our side of these links: the fields a mapping may name, as text, and the CRM's lead that the deal belongs to. A name and a day of closing
-- are proposals for a new deal: CRMs want both.
SELECT
  k.id,
  jsonb_strip_nulls(jsonb_build_object(
    'stage', p.stage::text, 'assigned_to', p.assigned_to, 'estimated_value', p.estimated_value::text, 'probability_pct', p.probability_pct::text,
    'next_followup_at', to_char(p.next_followup_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'notes', p.notes,
    'name', coalesce(nullif(concat_ws(' ', nullif(btrim(l.first_name), ''), nullif(btrim(l.last_name), '')), ''), l.email, l.ext_id)
      || coalesce(' – ' || nullif(btrim(l.company_name), ''), ''),
    'expected_close', to_char(coalesce(p.closed_at, p.qualified_at + interval '90 days') AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
    'score', p.score::text, 'priority', p.priority::text))::text AS facts,
  (
    SELECT coalesce(c.crm_id, c.merged_into) FROM crm_links c WHERE c.crm = k.crm AND c.object = 'lead' AND c.lead_ext_id = k.lead_ext_id
  ) AS lead_crm_id,
  l.ext_id
FROM crm_links k
JOIN sales_pipeline p ON p.lead_ext_id = k.lead_ext_id
JOIN leads l ON l.ext_id = k.lead_ext_id
WHERE k.id = ANY (@ids::bigint[])
