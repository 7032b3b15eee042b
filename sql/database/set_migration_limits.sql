-- A migration may run long (no statement_timeout), but waits for a table lock no longer than told: everybody else queues behind it.
-- The wait for another runner is not limited at all (0).
SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', @lock_timeout_ms::text, true)
