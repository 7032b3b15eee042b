-- What no message has carried yet: the first @lines of each kind and severity, with how many there are.
SELECT kind, severity::text, total, facts::text
FROM (
  SELECT
    a.*, count(*) OVER (PARTITION BY a.kind, a.severity) AS total,
    row_number() OVER (PARTITION BY a.kind, a.severity ORDER BY a.weight DESC, a.id) AS place
  FROM alerts a
  WHERE a.to_tell AND a.status = 'open' AND a.ended_at IS NULL
) AS n
WHERE place <= @lines
ORDER BY n.severity DESC, n.kind, n.place
