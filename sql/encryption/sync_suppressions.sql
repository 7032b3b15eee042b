-- Brings the entries under tokens in line with those under the numbers themselves.
WITH number AS (
  SELECT DISTINCT address_hash('phone', n.number) AS plain, address_hash('phone', n.token) AS sealed
  FROM unnest(@numbers::text[], @tokens::text[]) AS n (number, token)
), lifted AS (
  DELETE FROM suppressions s USING number n
  WHERE s.address_hash = n.sealed AND s.sealed AND NOT EXISTS (SELECT FROM suppressions p WHERE p.address_hash = n.plain)
)
INSERT INTO suppressions (address_hash, channel, reason, suppressed_at, suppressed_by, sealed)
SELECT n.sealed, s.channel, s.reason, s.suppressed_at, s.suppressed_by, true
FROM number n
JOIN suppressions s ON s.address_hash = n.plain
ORDER BY n.sealed
ON CONFLICT (address_hash) DO NOTHING
