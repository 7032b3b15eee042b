-- A transaction that can change nothing, whatever runs in it; ends with it.
SET TRANSACTION READ ONLY
