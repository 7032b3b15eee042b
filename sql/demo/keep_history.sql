-- What the sample's people did in two years is stored and not acted upon, as with any import of history; ends with the transaction.
SELECT set_config('salestasks.history', 'on', true)
