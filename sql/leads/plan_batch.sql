-- How to plan what follows in this transaction: a batch looks up to 10,000 rows up by their keys, in tables of any size. Estimates for
-- staged rows that nobody has analysed are worthless, so the only plan that is always right, a loop over an index, is the only one allowed.
SELECT
  set_config('enable_nestloop', 'on', true),
  set_config('enable_hashjoin', 'off', true),
  set_config('enable_mergejoin', 'off', true)
