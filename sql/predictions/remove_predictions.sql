-- Makes room for new predictions of these deals, in their transaction.
DELETE FROM deal_predictions WHERE pipeline_id = ANY (@ids::bigint[])
