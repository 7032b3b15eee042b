-- Drops the months of the audit log that its owner does not want to keep; how many, the function alone decides.
SELECT drop_old_audit()
