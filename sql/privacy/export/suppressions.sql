-- Whether the addresses are on the suppression list.
SELECT jsonb_build_object('channel', t.channel, 'reason', t.reason, 'suppressed_at', t.suppressed_at)::text
FROM suppressions t
WHERE NOT t.sealed AND t.address_hash = ANY (ARRAY(
  SELECT address_hash('email', a) FROM unnest(@emails::text[]) AS a UNION ALL SELECT address_hash('phone', a) FROM unnest(@digits::text[]) AS a))
ORDER BY t.suppressed_at
