-- What the last analysis concluded and whether it is in use; locked, so that analyses and applications take turns.
SELECT state, active, applied_since, fallback_since FROM timing_state FOR UPDATE
