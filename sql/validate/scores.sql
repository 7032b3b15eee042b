-- Scores are 0 to 100, and the points of each scored row add up to its score. Large tables are sampled by pages.
SELECT
  'error' AS severity,
  o.subject,
  format(o.detail, o.rows, o.example) AS detail,
  format(o.detail_es, o.rows, o.example) AS detail_es,
  o.fix
FROM (
  SELECT
    'leads.score' AS subject, count(*) AS rows, min(l.ext_id)::text AS example,
    '%s leads have a score outside 0 to 100, for instance %s' AS detail, '%s leads tienen una puntuación fuera de 0 a 100, por ejemplo %s' AS detail_es,
    'sales-tasks scoring score --everything' AS fix
  FROM leads l TABLESAMPLE SYSTEM (least(100, 100.0 * @sample_pages::int / greatest(pg_relation_size('leads') / 8192, 1)))
  WHERE l.score NOT BETWEEN 0 AND 100
  UNION ALL
  SELECT
    'lead_score_history', count(*), min(s.id)::text,
    '%s rows whose points do not add up to their score, for instance id %s',
    '%s filas cuyos puntos no suman su puntuación, por ejemplo id %s',
    'sales-tasks scoring score --everything'
  FROM lead_scores s TABLESAMPLE SYSTEM (
    least(100, 100.0 * @sample_pages::int / (SELECT greatest(sum(pg_relation_size(relid)) / 8192, 1) FROM pg_partition_tree('lead_scores'))))
  WHERE s.rule_version IS NOT NULL
    AND (s.base_points + s.email_points + s.phone_points + s.name_points + s.reply_points + s.click_points + s.open_points + s.source_points
      + s.utm_points + s.age_points + s.domain_points + s.website_points + s.demo_points + s.pricing_points + s.cap_points + s.model_points)
      IS DISTINCT FROM s.score::int
  UNION ALL
  SELECT
    'lead_score_history', count(*), min(s.id)::text,
    '%s rows have a score outside 0 to 100, for instance id %s', '%s filas tienen una puntuación fuera de 0 a 100, por ejemplo id %s',
    'DELETE FROM lead_scores WHERE score NOT BETWEEN 0 AND 100'
  FROM lead_scores s TABLESAMPLE SYSTEM (
    least(100, 100.0 * @sample_pages::int / (SELECT greatest(sum(pg_relation_size(relid)) / 8192, 1) FROM pg_partition_tree('lead_scores'))))
  WHERE s.score NOT BETWEEN 0 AND 100
) o
WHERE o.rows > 0
