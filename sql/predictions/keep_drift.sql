-- One day's drift of one model. Whoever measures it second on a day adds nothing.
INSERT INTO ml_drift (model_id, day, measure, feature, value, level, deals, expected, observed, computed_at)
SELECT @model_id::bigint, (@as_of::timestamptz AT TIME ZONE 'UTC')::date, d.measure, d.feature, d.value, d.level, d.deals, d.expected, d.observed, @as_of
FROM unnest(
  @measures::text[], @features::text[], @values::double precision[], @levels::text[], @deals::int[], @expected::double precision[],
  @observed::double precision[]) AS d (measure, feature, value, level, deals, expected, observed)
ORDER BY d.measure, d.feature
ON CONFLICT DO NOTHING
