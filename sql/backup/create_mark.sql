-- A schema of its own, so that it is in nobody's way.
CREATE SCHEMA sales_tasks_restore_under_way
