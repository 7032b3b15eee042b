-- Statements about a schema, its name quoted.
SELECT format('CREATE SCHEMA %I', @schema_name::text), format('DROP SCHEMA %I CASCADE', @schema_name)
