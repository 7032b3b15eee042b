-- DAGs that have not run in their schedule (job_schedules). Those that never ran are not late: they may not be switched on.
-- title en: Jobs that did not run
-- title es: Trabajos que no se ejecutaron
-- text en: {dag}: last run {started}, expected every {every} h
-- text es: {dag}: última ejecución {started}, esperada cada {every} h
INSERT INTO alert_situations (kind, situation_key, severity, facts)
SELECT
  'job_late', dag_id, late_severity,
  jsonb_build_object(
    'dag', dag_id, 'started', to_char(last_started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), 'every', extract(epoch FROM expected_every) / 3600)
FROM v_job_health
WHERE late
