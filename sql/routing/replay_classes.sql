-- The classes of leads of a run, in their order.
SELECT language, region, country FROM routing_run_classes WHERE run_id = @run_id ORDER BY class
