-- The next messages about a lead with a telephone number of its own that is sealed (@sealed) or is not.
SELECT m.id
FROM outbox_messages m
WHERE m.id > @after AND m.lead_ext_id IS NOT NULL
  AND CASE WHEN @sealed THEN m.recipient LIKE 'sealed-%' OR position('sealed-' IN m.payload::text) > 0
    ELSE (m.channel = 'call' AND m.recipient NOT LIKE 'sealed-%') OR m.payload ->> 'phone' NOT LIKE 'sealed-%'
      OR m.payload #>> '{metadata,lead_phone}' NOT LIKE 'sealed-%' END
ORDER BY m.id
LIMIT @limit
