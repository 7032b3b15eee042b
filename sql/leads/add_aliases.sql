-- Remembers the second names, so that later imports and events under them reach the lead.
INSERT INTO lead_aliases (alias_ext_id, ext_id, matched_by, created_at)
SELECT m.alias, m.target, m.matched_by, @as_of
FROM unnest(@aliases::text[], @targets::text[], @matched_by::text[]) AS m (alias, target, matched_by)
ON CONFLICT (alias_ext_id) DO NOTHING
