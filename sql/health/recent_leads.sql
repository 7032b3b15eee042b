-- Leads that came in. Degraded where there are leads and none came for 7 days, critical after 30.
-- title en: New leads
-- title es: Leads nuevos
-- text en: {day} in 24 h, {week} in 7 d; the last {last}
-- text es: {day} en 24 h, {week} en 7 d; el último {last}
-- text none en: there are no leads yet
-- text none es: aún no hay leads
SELECT
  NULL::text AS subject,
  CASE WHEN l.last < sales_now() - interval '30 days' THEN 'critical' WHEN l.last < sales_now() - interval '7 days' THEN 'warning' END AS severity,
  CASE WHEN l.last IS NULL THEN 'none' ELSE '' END AS variant,
  jsonb_build_object('day', l.day, 'week', l.week, 'last', to_char(l.last AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'))::text AS facts
FROM (
  SELECT
    max(created_at) AS last, count(*) FILTER (WHERE created_at > sales_now() - interval '24 hours') AS day,
    count(*) FILTER (WHERE created_at > sales_now() - interval '7 days') AS week
  FROM leads
  WHERE created_at <= sales_now()
) AS l
