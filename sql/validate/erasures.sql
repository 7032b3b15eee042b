-- Persons who were erased and are here again (a restored backup, a load past the triggers), and CRMs that have not erased what they were asked to
-- for a week. Large tables are sampled by pages.
-- An ext_id may be an address, so findings name numbers; twenty at a time can be looked up and erased.
SELECT o.severity, o.subject, o.detail, o.detail_es, o.fix
FROM (
  SELECT
    'error' AS severity, 'leads' AS subject,
    format('%s leads are of persons who were erased, for instance lead_id %s', count(*), min(f.lead_id)) AS detail,
    format('%s leads son de personas que se borraron, por ejemplo lead_id %s', count(*), min(f.lead_id)) AS detail_es,
    format('sales-tasks privacy erase EXT_ID --yes, with each of: SELECT ext_id FROM leads WHERE lead_id IN (%s)',
      array_to_string((array_agg(f.lead_id ORDER BY f.lead_id))[1:20], ', ')) AS fix, count(*) AS rows
  FROM (
    SELECT a.lead_ids[e.place] AS lead_id
    FROM (
      SELECT array_agg(l.lead_id) AS lead_ids, array_agg(l.ext_id::text) AS ext_ids, array_agg(l.email::text) AS emails, array_agg(l.phone::text) AS phones
      FROM leads l TABLESAMPLE SYSTEM (least(100, 25.0 * @sample_pages::int / greatest(pg_relation_size('leads') / 8192, 1)))
      WHERE l.erased_at IS NULL AND (SELECT EXISTS (SELECT FROM privacy_tombstones))
    ) AS a
    CROSS JOIN LATERAL erased_persons(a.ext_ids, a.emails, a.phones) AS e
  ) AS f
  UNION ALL
  SELECT
    'error', 'sales_pipeline',
    format('%s deals of erased leads name somebody, for instance id %s', count(*), min(p.id)),
    format('%s oportunidades de leads borrados nombran a alguien, por ejemplo id %s', count(*), min(p.id)),
    'UPDATE sales_pipeline p SET email = ''erased'', first_name = NULL, last_name = NULL, phone = NULL, notes = NULL FROM leads l '
      'WHERE l.ext_id = p.lead_ext_id AND l.erased_at IS NOT NULL', count(*)
  FROM leads l
  JOIN sales_pipeline p ON p.lead_ext_id = l.ext_id
  WHERE l.erased_at IS NOT NULL AND (p.email <> 'erased' OR p.first_name IS NOT NULL OR p.last_name IS NOT NULL OR p.phone IS NOT NULL)
  UNION ALL
  SELECT
    'error', 'privacy_secret', 'the key of the hashes is gone: erased persons are no longer recognised',
    'falta la clave de los hashes: ya no se reconoce a las personas borradas', 'restore the table privacy_secret from a backup', count(*)
  FROM privacy_tombstones t
  -- The key itself is not for those who validate.
  WHERE person_hash('ext_id', 'anybody') IS NULL
  UNION ALL
  SELECT
    'warning', concat('CRM ', c.crm),
    format('%s records are to be erased and are not, since %s', count(*), to_char(min(c.queued_at), 'YYYY-MM-DD')),
    format('%s registros están por borrar desde %s', count(*), to_char(min(c.queued_at), 'YYYY-MM-DD')),
    'sales-tasks privacy requests', count(*)
  FROM privacy_crm_erasures c
  WHERE c.done_at IS NULL AND c.queued_at < sales_now() - interval '7 days'
  GROUP BY c.crm
) AS o
WHERE o.rows > 0
