-- What there is to do in a block: its version, whether a run at @as_of is the newest, whether all of its deals have to be looked at, how many are open,
-- and the rows on the list. A block without a row, as before the first run, has version null.
SELECT
  b.version,
  coalesce(b.looked_at <= @as_of, true) AS is_newest,
  b.block IS NULL OR b.settings <> @settings OR b.looked_at > @as_of
    OR (b.looked_at AT TIME ZONE 'UTC')::date <> (@as_of::timestamptz AT TIME ZONE 'UTC')::date AS is_whole,
  (SELECT count(*) FROM sales_pipeline p WHERE p.id BETWEEN n.first AND n.last AND p.stage < 'closed_won')::int AS open,
  coalesce(d.deals, '{}') AS deals,
  coalesce(d.ids, '{}') AS ids
FROM (SELECT @block::bigint AS block, @block::bigint << 12 AS first, (@block::bigint << 12) + 4095 AS last) AS n
LEFT JOIN deal_prediction_blocks b ON b.block = n.block
CROSS JOIN LATERAL (
  SELECT array_agg(q.pipeline_id) AS deals, array_agg(q.id) AS ids
  FROM deal_prediction_due q
  WHERE q.pipeline_id BETWEEN n.first AND n.last AND q.due_at <= @as_of
) AS d
