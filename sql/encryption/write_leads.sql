-- Another spelling of the same values.
UPDATE leads l
SET phone = i.phone
FROM unnest(@ids::bigint[], @phones::text[]) AS i (lead_id, phone)
WHERE l.lead_id = i.lead_id
