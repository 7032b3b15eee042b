-- Another runner's migration may take long: this transaction waits for its turn without a limit.
SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true)
