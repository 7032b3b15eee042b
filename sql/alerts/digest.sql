-- The same for each rep who is active: the first @lines of their own, the most severe first, in the language they named first.
SELECT r.email, lower(r.languages[1]), n.kind, n.severity::text, n.total, n.facts::text
FROM (
  SELECT
    a.*, count(*) OVER (PARTITION BY a.owner) AS total,
    row_number() OVER (PARTITION BY a.owner ORDER BY a.severity DESC, a.kind, a.weight DESC, a.id) AS place
  FROM alerts a
  WHERE a.to_tell AND a.status = 'open' AND a.ended_at IS NULL AND a.owner IS NOT NULL
) AS n
JOIN sales_reps r ON r.email = n.owner AND r.active AND position('@' IN r.email) > 1
WHERE n.place <= @lines
ORDER BY r.email, n.place
