-- Runs that seal take turns batch by batch, so that each sees what the other did. What is written in this transaction is no change of anybody's.
SELECT
  set_config('salestasks.sealing', 'on', true),
  pg_advisory_xact_lock(hashtextextended(concat('salestasks.sealing.', current_schema()), 0))::text
