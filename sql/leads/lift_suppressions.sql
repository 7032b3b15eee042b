-- Takes the addresses off the suppression list, but for those that cannot be agreed away: an erased person's, and one where mail bounces.
WITH asked AS (
  SELECT DISTINCT address_hash(a.channel, a.address) AS address_hash
  FROM (SELECT 'email' AS channel, unnest(@emails::text[]) AS address UNION ALL SELECT 'phone', unnest(@phones::text[])) AS a
), lifted AS (
  DELETE FROM suppressions s
  USING asked
  WHERE s.address_hash = asked.address_hash AND s.reason NOT IN ('erasure', 'bounce')
  RETURNING s.address_hash
)
SELECT
  (SELECT count(*) FROM lifted) AS lifted,
  (SELECT count(*) FROM suppressions s JOIN asked USING (address_hash) WHERE s.reason IN ('erasure', 'bounce')) AS kept
