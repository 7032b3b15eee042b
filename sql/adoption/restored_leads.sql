-- Deals whose lead is not in leads: the lead comes back from what the deal says about it.
WITH restored AS (
  INSERT INTO leads (ext_id, source, first_name, last_name, email, phone, utm_source, utm_campaign, created_at, updated_at)
  SELECT
    r.lead_ext_id, coalesce(nullif(btrim(adoption_text(d.source, 32)), ''), 'unknown'), adoption_text(d.first_name, 128),
    adoption_text(d.last_name, 128), adoption_text(d.email, 256), adoption_text(d.phone, 64), adoption_text(d.utm_source, 128),
    adoption_text(d.utm_campaign, 128), least(coalesce(d.qualified_at, d.created_at, sales_now()), sales_now()), sales_now()
  FROM adoption_rows r
  JOIN adopting_sales_pipeline d ON d.place = r.place
  WHERE r.table_name = 'sales_pipeline' AND r.own_id = r.kept_id AND NOT EXISTS (SELECT FROM leads l WHERE l.ext_id = r.lead_ext_id)
  ORDER BY r.place
  RETURNING ext_id
)
INSERT INTO adoption_findings (table_name, row_key, lead_ext_id, rule, was, became)
SELECT 'leads', t.ext_id, t.ext_id, 'restored_lead', NULL, t.ext_id
FROM restored t
