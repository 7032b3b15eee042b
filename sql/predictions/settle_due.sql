-- Takes rows off the list, and puts the deals there that change with every instant.
WITH settled AS (
  DELETE FROM deal_prediction_due d
  USING unnest(@deals::bigint[], @ids::bigint[]) AS s (pipeline_id, id)
  WHERE d.pipeline_id = s.pipeline_id AND d.id = s.id
)
INSERT INTO deal_prediction_due (pipeline_id) SELECT p.id FROM sales_pipeline p WHERE p.id = ANY (@always::bigint[])
