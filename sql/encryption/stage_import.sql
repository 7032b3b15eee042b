-- Keeps the sealed values of rows that are being staged.
INSERT INTO lead_import_sealed (import_id, token, sealed)
SELECT @import_id, i.token, i.sealed
FROM unnest(@tokens::text[], @sealed::bytea[]) AS i (token, sealed)
ON CONFLICT DO NOTHING
