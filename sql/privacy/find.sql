-- The leads that somebody names: by ext_id or another id, else by e-mail address or telephone number. Those that are
-- erased are nobody's.
WITH named AS (
  SELECT l.ext_id FROM leads l
  WHERE l.erased_at IS NULL AND (l.ext_id = @who OR l.ext_id = (SELECT a.ext_id FROM lead_aliases a WHERE a.alias_ext_id = @who))
)
SELECT ext_id, 'ext_id' AS how FROM named
UNION ALL
SELECT l.ext_id, 'email' FROM leads l
WHERE NOT EXISTS (SELECT FROM named) AND lower(l.email) = lower(btrim(@email::text)) AND l.email IS NOT NULL
UNION ALL
SELECT l.ext_id, 'phone' FROM leads l
WHERE NOT EXISTS (SELECT FROM named)
  AND regexp_replace(l.phone, '[^0-9]', '', 'g') = ANY (@digits::text[]) AND l.phone IS NOT NULL
LIMIT @limit
