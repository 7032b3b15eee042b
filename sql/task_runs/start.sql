-- A row for this try, before any work.
INSERT INTO task_runs (
  dag_id, task_id, run_id, map_index, try_number, command, parameters, started_by, host, process_id, program_version, as_of, started_at,
  heartbeat_at)
VALUES (
  @dag_id, @task_id, @run_id, @map_index, @try_number, @command, @parameters::jsonb, @started_by, @host, @process_id, @program_version,
  @as_of::timestamptz, @started_at, @started_at)
RETURNING id
