-- The last block that has leads; null when there are none.
SELECT (max(lead_id) >> 15)::int FROM leads
