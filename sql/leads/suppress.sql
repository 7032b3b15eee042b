-- Puts the addresses on the suppression list; the reason of an entry that is there already stays.
INSERT INTO suppressions (address_hash, channel, reason)
SELECT DISTINCT address_hash(a.channel, a.address), a.channel, @reason
FROM (SELECT 'email' AS channel, unnest(@emails::text[]) AS address UNION ALL SELECT 'phone', unnest(@phones::text[])) AS a
ORDER BY 1
ON CONFLICT (address_hash) DO NOTHING
