-- Loads follow-up tasks.
COPY sales_followup_tasks (
  pipeline_id, lead_ext_id, task_type, task_title, status, priority, assigned_to, due_date, completed_at, completed_by, metadata,
  created_at, updated_at
) FROM STDIN (FORMAT BINARY)
