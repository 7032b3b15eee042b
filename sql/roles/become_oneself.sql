-- Back to the connection's own role, for what roles are granted by. Ends with the transaction.
SELECT set_config('role', 'none', true)
