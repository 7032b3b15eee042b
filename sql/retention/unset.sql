-- The subject is kept for ever again.
DELETE FROM retention_rules WHERE subject = @subject
