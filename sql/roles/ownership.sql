-- Everything belongs to the owner, who is no superuser; views belong to the reader. A view's query runs with its owner's rights, and row-level
-- security is not applied to a table's owner: were views the owner's, a rep would see every row through them. (security_invoker would do that from
-- PostgreSQL 15 on only.) The tables' owner stays free of row-level security, so pg_dump and foreign keys see all rows.
WITH role AS (
  SELECT r.kind, r.name FROM unnest(@kinds::text[], @role_names::text[]) AS r (kind, name)
), decided AS (
  SELECT unnest(@objects::text[]) AS object
), found AS (
  SELECT
    c.oid::regclass::text AS subject, c.relowner AS owner,
    CASE WHEN c.relkind = 'v' THEN 'reader' ELSE 'owner' END AS wanted,
    CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END AS what,
    -- A view's functions and types change hands before it.
    CASE WHEN c.relkind IN ('v', 'm') THEN 3 ELSE 2 END AS turn
  FROM pg_class c
  LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
  LEFT JOIN pg_class parent ON parent.oid = i.inhparent
  WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind IN ('r', 'p', 'v', 'm')
    AND coalesce(parent.relname, c.relname) IN (SELECT object FROM decided)
  UNION ALL
  SELECT p.oid::regprocedure::text, p.proowner, 'owner', 'FUNCTION', 1
  FROM pg_proc p
  WHERE p.pronamespace = to_regnamespace(quote_ident(current_schema())) AND p.proname IN (SELECT object FROM decided)
  UNION ALL
  SELECT t.oid::regtype::text, t.typowner, 'owner', 'TYPE', 1
  FROM pg_type t
  WHERE t.typnamespace = to_regnamespace(quote_ident(current_schema())) AND t.typtype = 'e' AND t.typname IN (SELECT object FROM decided)
)
SELECT 'owner_wrong' AS kind, f.subject, r.name AS role_name, format('ALTER %s %s OWNER TO %I', f.what, f.subject, r.name) AS statement
FROM found f
JOIN role r ON r.kind = f.wanted
WHERE pg_get_userbyid(f.owner) <> r.name
ORDER BY f.turn, f.subject
