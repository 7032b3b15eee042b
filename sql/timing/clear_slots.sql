-- The slots of the last analysis give way to those of this one.
DELETE FROM timing_slots
