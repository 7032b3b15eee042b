-- The instant the transaction works at, for sales_now() and the triggers that use it; ends with the transaction.
SELECT set_config('salestasks.as_of', @as_of::text, true)
