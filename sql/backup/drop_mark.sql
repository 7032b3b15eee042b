-- The restore is done.
DROP SCHEMA sales_tasks_restore_under_way CASCADE
