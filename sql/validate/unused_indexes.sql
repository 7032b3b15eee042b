-- Indexes above 8 MB that no query has used since statistics began or the server started, a week ago at least. Keys and what the contract names are left out. For
-- information: an index may serve a monthly report, or another server.
SELECT
  'info' AS severity,
  s.indexrelname::text AS subject,
  format('%s, never used by a query since statistics began', pg_size_pretty(pg_relation_size(s.indexrelid))) AS detail,
  format('%s, ninguna consulta lo ha usado desde que hay estadísticas', pg_size_pretty(pg_relation_size(s.indexrelid))) AS detail_es,
  format('SELECT * FROM pg_stat_user_indexes WHERE indexrelname = %L', s.indexrelname) AS fix
FROM pg_stat_user_indexes s
JOIN pg_index i ON i.indexrelid = s.indexrelid
JOIN pg_stat_database d ON d.datname = current_database()
WHERE s.schemaname = current_schema() AND s.idx_scan = 0 AND NOT i.indisunique AND pg_relation_size(s.indexrelid) > 8 * 1024 * 1024
  AND greatest(d.stats_reset, pg_postmaster_start_time()) < clock_timestamp() - interval '7 days'
  AND s.indexrelname NOT IN (
    'idx_pipeline_stage_priority_score', 'idx_pipeline_assigned_stage', 'idx_pipeline_next_followup', 'idx_pipeline_metadata_gin', 'idx_tasks_overdue')
ORDER BY pg_relation_size(s.indexrelid) DESC
LIMIT 10
