-- Settings of the adoption's transaction. What happened long ago is stored and not acted upon (salestasks.history). A scan begins at a
-- table's first page and is not spread over workers, so that a row's place is the same in every pass over its table. More memory for hash
-- joins than a job has (one session, once): the join of 5 million scores with a million leads stays out of temporary files.
SELECT
  set_config('salestasks.history', 'on', true),
  set_config('salestasks.actor', 'adoption', true),
  set_config('synchronize_seqscans', 'off', true),
  set_config('max_parallel_workers_per_gather', '0', true),
  set_config('work_mem', '64MB', true)
