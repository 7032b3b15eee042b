-- Under which id each old campaign goes on; see deal_rows.sql.
WITH named AS (
  SELECT
    c.place, c.id,
    (c.id = trunc(c.id) AND c.id BETWEEN 1 AND 4611686018427387904) IS TRUE AND row_number() OVER (PARTITION BY c.id ORDER BY c.place) = 1 AS keeps_id
  FROM adopting_sales_campaigns c
),
numbered AS (
  SELECT
    n.place, n.id,
    CASE WHEN n.keeps_id THEN n.id::bigint
      ELSE (SELECT coalesce(max(m.id), 0)::bigint FROM named m WHERE m.keeps_id) + row_number() OVER (PARTITION BY n.keeps_id ORDER BY n.place)
    END AS own_id
  FROM named n
)
INSERT INTO adoption_rows (table_name, place, old_id, own_id, kept_id)
SELECT 'sales_campaigns', n.place, n.id, n.own_id, n.own_id
FROM numbered n
