-- For reading all rows in one snapshot, for as long as it takes. With row_security off, a role that may not see every row gets an error instead of
-- a part. The rest fixes how values look as text, which the checksums are made of.
SELECT
  set_config('row_security', 'off', true), set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true),
  set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, MDY', true), set_config('intervalstyle', 'postgres', true),
  set_config('extra_float_digits', '1', true), set_config('bytea_output', 'hex', true)
