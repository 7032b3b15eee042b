-- The explanation of an open deal; the graded history, which is numbers alone, stays.
DELETE FROM deal_predictions t WHERE t.pipeline_id = ANY (@deals::bigint[])
