-- Who acts, for triggers that write down who changed what; ends with the transaction.
SELECT set_config('salestasks.actor', @actor::text, true)
