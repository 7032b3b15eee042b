-- The deals open at the end of the period, by the stage they were in then, their size (half decades of value) and their
-- probability: how many, and the sums of value and of
-- value squared. Probabilities and values are those known now.
WITH entered AS (
  SELECT DISTINCT ON (h.pipeline_id) h.pipeline_id, h.to_stage AS stage
  FROM sales_stage_history h
  JOIN sales_pipeline p ON p.id = h.pipeline_id
  WHERE p.qualified_at < @to_at AND (p.closed_at IS NULL OR p.closed_at >= @to_at) AND h.changed_at < @to_at
  ORDER BY h.pipeline_id, h.changed_at DESC, h.id DESC
)
SELECT
  coalesce(e.stage, 'qualified')::text AS stage,
  coalesce(floor(2 * log(greatest(p.estimated_value, 1)::double precision)), 0)::int AS band,
  coalesce(p.probability_pct, 0) AS probability_pct,
  count(*) AS deals,
  coalesce(sum(p.estimated_value), 0)::double precision AS value,
  coalesce(sum(p.estimated_value * p.estimated_value), 0)::double precision AS squares
FROM sales_pipeline p
LEFT JOIN entered e ON e.pipeline_id = p.id AND e.stage < 'closed_won'
WHERE p.qualified_at < @to_at AND (p.closed_at IS NULL OR p.closed_at >= @to_at)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
