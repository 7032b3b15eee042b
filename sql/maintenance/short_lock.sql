-- How long this transaction waits for a lock: everybody who comes later waits behind it, so it gives up soon and is tried again.
SELECT set_config('lock_timeout', @lock_timeout_ms::text, true)
