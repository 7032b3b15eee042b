-- What routing_decisions would delete in all.
SELECT count(*) FROM routing_runs WHERE planned_at < @before_at
