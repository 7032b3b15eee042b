-- What every physical connection is set to, in one round trip: UTC, and limits that keep a stopped or cut-off client from holding locks.
-- client_connection_check_interval notices a killed client in the middle of a statement; servers before 14 and outside Linux lack it.
SELECT
  set_config('TimeZone', 'UTC', false),
  set_config('statement_timeout', @statement_timeout_ms::text, false),
  set_config('lock_timeout', @lock_timeout_ms::text, false),
  set_config('idle_in_transaction_session_timeout', '60s', false),
  CASE WHEN current_setting('server_version_num')::int >= 140000 AND version() LIKE '%linux%'
    THEN set_config('client_connection_check_interval', '1s', false)
  END,
  -- Compiling a plan pays off only far beyond the chunks that jobs work in (0.15 s a statement).
  set_config('jit', 'off', false),
  -- Who is at work, for the audit log.
  set_config('salestasks.program', current_setting('application_name'), false),
  set_config('salestasks.os_user', @os_user::text, false),
  set_config('salestasks.run', @run::text, false)
