-- The newest backup and the newest that was verified by restoring it. A database that was never backed up by this program may be by another.
-- title en: Backup
-- title es: Copia de seguridad
-- text en: {name}, {hours} h old; last verified {verified_days} d ago
-- text es: {name}, de hace {hours} h; última verificada hace {verified_days} d
-- text unverified en: {name}, {hours} h old; none was verified yet (backup verify)
-- text unverified es: {name}, de hace {hours} h; ninguna verificada todavía (backup verify)
-- text none en: none was made by this program
-- text none es: este programa no ha hecho ninguna
-- text held en: this copy was restored from {name}; nothing is sent until "backup release"
-- text held es: esta copia se restauró de {name}; no se envía nada hasta "backup release"
SELECT
  NULL AS subject,
  CASE
    WHEN held.backup IS NOT NULL THEN 'warning'
    WHEN newest.taken_at < sales_now() - interval '7 days' THEN 'critical'
    WHEN newest.taken_at < sales_now() - interval '50 hours' THEN 'warning'
    WHEN coalesce(known.verified_at, known.first_at) < sales_now() - interval '35 days' THEN 'warning'
  END AS severity,
  CASE
    WHEN held.backup IS NOT NULL THEN 'held'
    WHEN newest.name IS NULL THEN 'none'
    WHEN known.verified_at IS NULL THEN 'unverified'
    ELSE ''
  END AS variant,
  jsonb_build_object(
    'name', coalesce(held.backup, newest.name), 'hours', floor(extract(epoch FROM sales_now() - newest.taken_at) / 3600),
    'verified_days', floor(extract(epoch FROM sales_now() - known.verified_at) / 86400))::text AS facts
FROM (SELECT max(verified_at) AS verified_at, min(taken_at) AS first_at FROM backups) AS known
LEFT JOIN LATERAL (SELECT name, taken_at FROM backups WHERE removed_at IS NULL ORDER BY taken_at DESC LIMIT 1) AS newest ON true
LEFT JOIN LATERAL (SELECT backup FROM restorations WHERE released_at IS NULL ORDER BY id DESC LIMIT 1) AS held ON true
