-- Settings of a migration's transaction. It may run long (no statement_timeout), but waits for a table lock no longer than told, because
-- everybody else queues behind it. Only the target schema is on the search_path (temporary objects last): nothing of a neighbour's is
-- found by accident, and functions made here with SET search_path FROM CURRENT keep exactly this path.
SELECT
  set_config('statement_timeout', '0', true),
  set_config('lock_timeout', @lock_timeout_ms::text, true),
  set_config('search_path', quote_ident(@schema_name::text) || ', pg_temp', true)
