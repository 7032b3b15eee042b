-- Nothing is sealed any more: no trace of it stays.
WITH dropped_values AS (
  DELETE FROM sealed_values
), dropped_suppressions AS (
  DELETE FROM suppressions WHERE sealed
), dropped_keys AS (
  DELETE FROM encryption_keys
)
DELETE FROM encryption_state
