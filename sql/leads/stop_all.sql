-- Stops every campaign of these leads.
SELECT stop_campaigns(@leads::varchar[], array_fill('infinity'::timestamptz, ARRAY[cardinality(@leads::varchar[])]), 'opt_out')
