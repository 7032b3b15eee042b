-- Never written to nor called again, whoever stores the address anew; an entry that is there keeps its reason.
INSERT INTO suppressions (address_hash, channel, reason)
SELECT DISTINCT address_hash(a.channel, a.address), a.channel, 'erasure'
FROM (SELECT 'email' AS channel, unnest(@emails::text[]) AS address UNION ALL SELECT 'phone', unnest(@phones::text[])) AS a
ORDER BY 1
ON CONFLICT (address_hash) DO NOTHING
