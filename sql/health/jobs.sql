-- The last run of each DAG: v_job_health, as the alerts job_failed, job_lost and job_late have it. A DAG that never ran is no fault.
-- title en: Job
-- title es: Trabajo
-- text never en: never ran
-- text never es: nunca se ejecutó
-- text ok en: done, started {started}
-- text ok es: hecho, iniciado {started}
-- text running en: running since {started}
-- text running es: en marcha desde {started}
-- text failed en: {step} failed, run of {started}
-- text failed es: {step} falló, ejecución de {started}
-- text lost en: the process of {step} was lost, run of {started}
-- text lost es: se perdió el proceso de {step}, ejecución de {started}
-- text late en: last run {started}, expected every {every} h
-- text late es: última ejecución {started}, esperada cada {every} h
SELECT
  j.dag_id::text AS subject, greatest(j.late_severity, j.fault_severity)::text AS severity,
  CASE
    WHEN j.last_run_id IS NULL THEN 'never' WHEN j.late THEN 'late' WHEN j.failed_step IS NOT NULL THEN 'failed' WHEN j.lost_step IS NOT NULL THEN 'lost'
    WHEN j.running THEN 'running' ELSE 'ok'
  END AS variant,
  jsonb_build_object(
    'started', to_char(j.last_started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), 'step', coalesce(j.failed_step, j.lost_step),
    'every', extract(epoch FROM j.expected_every) / 3600, 'late', j.late, 'failed_step', j.failed_step, 'lost_step', j.lost_step)::text AS facts
FROM v_job_health j
ORDER BY j.dag_id
