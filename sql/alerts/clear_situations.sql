-- The work table is empty outside of an evaluation.
DELETE FROM alert_situations
