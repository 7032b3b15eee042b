-- Whether a schema is there, and whether it holds anything.
SELECT
  to_regnamespace(quote_ident(@schema_name::text)) IS NOT NULL,
  EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = to_regnamespace(quote_ident(@schema_name)))
    OR EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = to_regnamespace(quote_ident(@schema_name)))
    OR EXISTS (SELECT FROM pg_type t WHERE t.typnamespace = to_regnamespace(quote_ident(@schema_name)))
