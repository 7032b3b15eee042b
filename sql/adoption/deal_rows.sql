-- Which lead each old deal belongs to, and under which id it goes on. A deal that names no lead belongs to the one lead with its e-mail
-- address, else to a lead made for it. Ids stay; a row whose id is missing, no whole number, or taken by a row before it gets one after
-- all others. A lead has one deal: the one that was changed last.
WITH known AS (
  SELECT lower(btrim(l.email)) AS email, min(l.ext_id) AS ext_id
  FROM leads l
  WHERE l.email ~ '@'
  GROUP BY lower(btrim(l.email))
  HAVING count(*) = 1
),
read AS (
  SELECT
    d.place, d.id, d.updated_at, d.created_at,
    (d.id = trunc(d.id) AND d.id BETWEEN 1 AND 4611686018427387904) IS TRUE AS whole_id,
    CASE
      WHEN d.lead_ext_id ~ '[^[:space:]]' THEN adoption_key(d.lead_ext_id)
      ELSE coalesce(k.ext_id, 'adopted-deal-' || d.place)
    END AS lead_ext_id
  FROM adopting_sales_pipeline d
  LEFT JOIN known k ON k.email = lower(btrim(d.email))
),
named AS (
  SELECT r.*, row_number() OVER (PARTITION BY r.id, r.whole_id ORDER BY r.place) = 1 AND r.whole_id AS keeps_id
  FROM read r
),
numbered AS (
  SELECT
    n.*,
    CASE WHEN n.keeps_id THEN n.id::bigint
      ELSE (SELECT coalesce(max(m.id) FILTER (WHERE m.whole_id), 0)::bigint FROM read m) + row_number() OVER (PARTITION BY n.keeps_id ORDER BY n.place)
    END AS own_id
  FROM named n
)
INSERT INTO adoption_rows (table_name, place, old_id, own_id, lead_ext_id, kept_id)
SELECT
  'sales_pipeline', n.place, n.id, n.own_id, n.lead_ext_id,
  first_value(n.own_id) OVER (PARTITION BY n.lead_ext_id ORDER BY n.updated_at DESC NULLS LAST, n.created_at DESC NULLS LAST, n.place DESC)
FROM numbered n
