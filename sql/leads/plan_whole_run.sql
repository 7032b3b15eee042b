-- The opposite of a batch: statements over all rows of a run, whose number the planner cannot guess, must not loop over them.
SELECT set_config('enable_nestloop', 'off', true)
