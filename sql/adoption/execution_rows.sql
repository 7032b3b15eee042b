-- Which campaign and lead each old execution belongs to, and under which id it goes on; kept_id is null where one of them is gone. A lead is
-- in a campaign once: the execution that was changed last stays.
WITH read AS (
  SELECT
    e.place, e.id, e.updated_at, e.created_at,
    (e.id = trunc(e.id) AND e.id BETWEEN 1 AND 4611686018427387904) IS TRUE AND row_number() OVER (PARTITION BY e.id ORDER BY e.place) = 1 AS keeps_id,
    c.own_id AS campaign_id,
    CASE WHEN c.own_id IS NOT NULL THEN coalesce(l.ext_id, d.lead_ext_id) END AS lead_ext_id
  FROM adopting_sales_campaign_executions e
  LEFT JOIN adoption_rows c ON c.table_name = 'sales_campaigns' AND c.old_id = e.campaign_id AND c.own_id = c.old_id
  LEFT JOIN leads l ON l.ext_id = adoption_key(e.lead_ext_id)
  LEFT JOIN adoption_rows d ON d.table_name = 'sales_pipeline' AND d.old_id = e.pipeline_id AND d.own_id = d.old_id
),
numbered AS (
  SELECT
    r.*,
    CASE WHEN r.keeps_id THEN r.id::bigint
      ELSE (SELECT coalesce(max(m.id), 0)::bigint FROM read m WHERE m.keeps_id) + row_number() OVER (PARTITION BY r.keeps_id ORDER BY r.place)
    END AS own_id
  FROM read r
)
INSERT INTO adoption_rows (table_name, place, old_id, own_id, parent_id, lead_ext_id, kept_id)
SELECT
  'sales_campaign_executions', n.place, n.id, n.own_id, n.campaign_id, n.lead_ext_id,
  CASE WHEN n.lead_ext_id IS NOT NULL
    THEN first_value(n.own_id) OVER (PARTITION BY n.campaign_id, n.lead_ext_id ORDER BY n.updated_at DESC NULLS LAST, n.created_at DESC NULLS LAST, n.place DESC)
  END
FROM numbered n
