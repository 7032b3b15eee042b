-- Takes the CRM's values into leads, and what the deal's row repeats of them into that. A key that is missing leaves its column alone.
WITH items AS MATERIALIZED (
  SELECT i.lead_ext_id, i.values FROM jsonb_to_recordset(@items::jsonb) AS i (lead_ext_id text, values jsonb)
), deals AS (
  UPDATE sales_pipeline p
  SET email = CASE WHEN i.values ? 'email' THEN coalesce(i.values ->> 'email', p.email) ELSE p.email END,
      first_name = CASE WHEN i.values ? 'first_name' THEN i.values ->> 'first_name' ELSE p.first_name END,
      last_name = CASE WHEN i.values ? 'last_name' THEN i.values ->> 'last_name' ELSE p.last_name END,
      phone = CASE WHEN i.values ? 'phone' THEN i.values ->> 'phone' ELSE p.phone END
  FROM items i
  WHERE p.lead_ext_id = i.lead_ext_id AND i.values ?| '{email,first_name,last_name,phone}'
)
UPDATE leads l
SET email = CASE WHEN i.values ? 'email' THEN i.values ->> 'email' ELSE l.email END,
    first_name = CASE WHEN i.values ? 'first_name' THEN i.values ->> 'first_name' ELSE l.first_name END,
    last_name = CASE WHEN i.values ? 'last_name' THEN i.values ->> 'last_name' ELSE l.last_name END,
    phone = CASE WHEN i.values ? 'phone' THEN i.values ->> 'phone' ELSE l.phone END,
    company_name = CASE WHEN i.values ? 'company_name' THEN i.values ->> 'company_name' ELSE l.company_name END,
    industry = CASE WHEN i.values ? 'industry' THEN i.values ->> 'industry' ELSE l.industry END,
    country = CASE WHEN i.values ? 'country' THEN i.values ->> 'country' ELSE l.country END,
    region = CASE WHEN i.values ? 'region' THEN i.values ->> 'region' ELSE l.region END,
    language = CASE WHEN i.values ? 'language' THEN i.values ->> 'language' ELSE l.language END,
    updated_at = sales_now()
FROM items i
WHERE l.ext_id = i.lead_ext_id
