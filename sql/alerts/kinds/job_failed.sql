-- DAGs whose last run failed at a step, its retries included. Critical where that step has not succeeded for three times its interval.
-- title en: Jobs that failed
-- title es: Trabajos que fallaron
-- text en: {dag}: {step} failed in the run of {started}
-- text es: {dag}: {step} falló en la ejecución de {started}
INSERT INTO alert_situations (kind, situation_key, severity, facts)
SELECT
  'job_failed', dag_id, fault_severity,
  jsonb_build_object('dag', dag_id, 'step', failed_step, 'started', to_char(last_started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'))
FROM v_job_health
WHERE failed_step IS NOT NULL
