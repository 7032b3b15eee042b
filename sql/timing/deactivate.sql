-- Learned hours are not used any more.
UPDATE timing_state SET active = false, applied_since = NULL WHERE active OR applied_since IS NOT NULL
