-- There from the first object to the last step of a restore: what a killed one leaves is told from a person's database by it.
CREATE TABLE sales_tasks_restore_under_way.backup ()
