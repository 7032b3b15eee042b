-- Primary, unique and foreign keys that everything leans on. Foreign keys are told by the table they point at.
SELECT
  'error' AS severity,
  e.table_name AS subject,
  format(CASE e.kind WHEN 'p' THEN 'the primary key (%s) is missing' WHEN 'u' THEN 'the unique constraint on (%s) is missing'
    ELSE 'the foreign key on (%s) is missing' END, e.columns) AS detail,
  format(CASE e.kind WHEN 'p' THEN 'falta la clave primaria (%s)' WHEN 'u' THEN 'falta la restricción única de (%s)'
    ELSE 'falta la clave foránea de (%s)' END, e.columns) AS detail_es,
  CASE e.kind
    WHEN 'p' THEN format('ALTER TABLE %I ADD PRIMARY KEY (%s)', e.table_name, e.columns)
    WHEN 'u' THEN format('ALTER TABLE %I ADD UNIQUE (%s)', e.table_name, e.columns)
    ELSE format('ALTER TABLE %I ADD FOREIGN KEY (%s) REFERENCES %s ON DELETE CASCADE', e.table_name, e.columns, e.target)
  END AS fix
FROM (VALUES
  ('leads', 'p', 'ext_id', ''),
  ('sales_pipeline', 'p', 'id', ''),
  ('sales_pipeline', 'u', 'lead_ext_id', ''),
  ('sales_pipeline', 'f', 'lead_ext_id', 'leads (ext_id) ON UPDATE CASCADE'),
  ('sales_stage_history', 'f', 'pipeline_id', 'sales_pipeline'),
  ('sales_followup_tasks', 'p', 'id', ''),
  ('sales_followup_tasks', 'f', 'pipeline_id', 'sales_pipeline'),
  ('sales_followup_tasks', 'f', 'lead_ext_id', 'leads (ext_id) ON UPDATE CASCADE'),
  ('sales_campaigns', 'p', 'id', ''),
  ('sales_campaigns', 'u', 'name', ''),
  ('sales_campaign_executions', 'p', 'id', ''),
  ('sales_campaign_executions', 'u', 'campaign_id, lead_ext_id', ''),
  ('sales_campaign_executions', 'f', 'campaign_id', 'sales_campaigns'),
  ('sales_campaign_executions', 'f', 'lead_ext_id', 'leads (ext_id) ON UPDATE CASCADE'),
  ('sales_campaign_executions', 'f', 'pipeline_id', 'sales_pipeline'),
  ('sales_campaign_events', 'p', 'id', ''),
  ('sales_campaign_events', 'f', 'execution_id', 'sales_campaign_executions'),
  ('sales_reps', 'p', 'email', ''),
  ('outbox_messages', 'p', 'id', ''),
  ('outbox_messages', 'u', 'idempotency_key', ''),
  ('suppressions', 'p', 'address_hash', '')
) AS e (table_name, kind, columns, target)
JOIN pg_class c ON c.relname = e.table_name AND c.relnamespace = to_regnamespace(quote_ident(current_schema()))
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint n
  WHERE n.conrelid = c.oid AND n.contype::text = e.kind
    AND e.columns = (
      SELECT string_agg(a.attname, ', ' ORDER BY k.position)
      FROM unnest(n.conkey) WITH ORDINALITY AS k (number, position)
      JOIN pg_attribute a ON a.attrelid = n.conrelid AND a.attnum = k.number))
ORDER BY e.table_name, e.kind, e.columns
