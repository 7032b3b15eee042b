-- The names that the differences were settled for.
INSERT INTO database_roles (kind, role_name)
SELECT r.kind, r.name FROM unnest(@kinds::text[], @role_names::text[]) AS r (kind, name)
ON CONFLICT (database_name, kind) DO NOTHING
