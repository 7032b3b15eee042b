-- The share of won among the deals closed in the last complete week or month (UTC) is at least @conversion_drop_threshold points below that of the one
-- before, and hardly by chance: is_rate_drop. Critical from twice the threshold on. One situation a period; the next complete period ends it.
-- title en: Conversion fell
-- title es: Cayó la conversión
-- text en: since {from}: {after} % of {closed_after} closed deals won, before {before} % of {closed_before}: {drop} points less
-- text es: desde {from}: {after} % ganadas de {closed_after} cerradas, antes {before} % de {closed_before}: {drop} puntos menos
INSERT INTO alert_situations (kind, situation_key, severity, weight, facts)
SELECT
  'conversion_drop', @conversion_period::text || '/' || c.starts::date,
  CASE WHEN c.before - c.after >= 2 * @conversion_drop_threshold::int THEN 'critical' ELSE 'warning' END::alert_severity,
  c.before - c.after,
  jsonb_build_object(
    'from', c.starts::date, 'before', round(c.before, 1), 'after', round(c.after, 1), 'drop', round(c.before - c.after, 1),
    'closed_before', c.closed_before, 'closed_after', c.closed_after)
FROM (
  SELECT
    n.*,
    100.0 * n.won_before / nullif(n.closed_before, 0) AS before, 100.0 * n.won_after / nullif(n.closed_after, 0) AS after
  FROM (
    SELECT
      period.starts,
      count(*) FILTER (WHERE p.closed_at < period.starts AT TIME ZONE 'UTC') AS closed_before,
      count(*) FILTER (WHERE p.closed_at < period.starts AT TIME ZONE 'UTC' AND p.stage = 'closed_won') AS won_before,
      count(*) FILTER (WHERE p.closed_at >= period.starts AT TIME ZONE 'UTC') AS closed_after,
      count(*) FILTER (WHERE p.closed_at >= period.starts AT TIME ZONE 'UTC' AND p.stage = 'closed_won') AS won_after
    FROM (
      SELECT
        date_trunc(@conversion_period::text, @as_of AT TIME ZONE 'UTC') - one.period AS starts,
        date_trunc(@conversion_period::text, @as_of AT TIME ZONE 'UTC') AS ends, one.period
      FROM (SELECT ('1 ' || @conversion_period::text)::interval AS period) AS one
    ) AS period
    JOIN sales_pipeline p
      ON p.closed_at >= (period.starts - period.period) AT TIME ZONE 'UTC' AND p.closed_at < period.ends AT TIME ZONE 'UTC'
    GROUP BY period.starts
  ) AS n
) AS c
WHERE is_rate_drop(c.won_before, c.closed_before, c.won_after, c.closed_after, @conversion_drop_threshold::int)
