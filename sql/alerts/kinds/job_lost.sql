-- DAGs in whose last run the process of a step ended without a word: killed, or its machine went away.
-- title en: Jobs that were lost
-- title es: Trabajos perdidos
-- text en: {dag}: the process of {step} ended without a word in the run of {started}
-- text es: {dag}: el proceso de {step} terminó sin aviso en la ejecución de {started}
INSERT INTO alert_situations (kind, situation_key, severity, facts)
SELECT
  'job_lost', dag_id, fault_severity,
  jsonb_build_object('dag', dag_id, 'step', lost_step, 'started', to_char(last_started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'))
FROM v_job_health
WHERE lost_step IS NOT NULL
