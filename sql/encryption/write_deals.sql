-- Another spelling of the same values.
UPDATE sales_pipeline p
SET phone = i.phone, notes = i.notes
FROM unnest(@ids::bigint[], @phones::text[], @notes::text[]) AS i (id, phone, notes)
WHERE p.id = i.id
