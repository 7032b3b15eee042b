-- The journal of migrations against those of this program: complete, unchanged, applied in order.
SELECT
  'error' AS severity,
  'schema_migrations' AS subject,
  CASE
    WHEN j.version IS NULL THEN format('migration %s (%s) is not applied', p.version, p.name)
    WHEN p.version IS NULL THEN format('migration %s (%s) is of a newer program', j.version, j.name)
    ELSE format('migration %s (%s) was applied with another text', j.version, j.name)
  END AS detail,
  CASE
    WHEN j.version IS NULL THEN format('la migración %s (%s) no está aplicada', p.version, p.name)
    WHEN p.version IS NULL THEN format('la migración %s (%s) es de un programa más nuevo', j.version, j.name)
    ELSE format('la migración %s (%s) se aplicó con otro texto', j.version, j.name)
  END AS detail_es,
  CASE WHEN j.version IS NULL THEN 'sales-tasks db migrate' ELSE 'sales-tasks db status' END AS fix
FROM unnest(@versions::int[], @migration_names::text[], @checksums::text[]) AS p (version, name, checksum)
FULL JOIN schema_migrations j ON j.version = p.version
WHERE j.version IS NULL OR p.version IS NULL OR j.name <> p.name OR j.checksum <> p.checksum
UNION ALL
SELECT
  'warning', 'schema_migrations',
  format('migration %s was applied before %s', o.version, o.version - 1),
  format('la migración %s se aplicó antes que la %s', o.version, o.version - 1),
  'sales-tasks db status'
FROM (SELECT m.version, m.applied_at, lag(m.applied_at) OVER (ORDER BY m.version) AS before FROM schema_migrations m) o
WHERE o.applied_at < o.before
