-- The moments at which deals were open, on a grid of so many days back from @as_of, with how each deal ended by then: as many moments of a
-- deal as it was open long (30 years at most: nobody means more), which is how deals are met when they are predicted. closed_at and won are null where a deal was still open.
SELECT p.id, g.at, c.closed_at, CASE WHEN c.closed_at IS NOT NULL THEN p.stage = 'closed_won' END AS won
FROM sales_pipeline AS p
-- A deal that closed after @as_of was open then.
CROSS JOIN LATERAL (SELECT CASE WHEN p.closed_at <= @as_of THEN greatest(p.closed_at, @as_of::timestamptz - interval '30 years') END AS closed_at) AS c
CROSS JOIN LATERAL generate_series(
  @as_of::timestamptz - make_interval(days => @spacing_days::int * floor(extract(epoch FROM @as_of - greatest(p.qualified_at, @as_of - interval '30 years')) / 86400 / @spacing_days::int)::int),
  coalesce(c.closed_at - interval '1 microsecond', @as_of), make_interval(days => @spacing_days::int)) AS g (at)
WHERE p.qualified_at <= @as_of
ORDER BY g.at, p.id
