-- Holds the open tasks of these deals: one that is just being completed is waited for, and counts as the contact it is. After the deals, the
-- order in which a change of a deal takes its tasks.
SELECT id FROM sales_followup_tasks WHERE pipeline_id = ANY (@ids) AND status IN ('pending', 'in_progress') ORDER BY id FOR NO KEY UPDATE
