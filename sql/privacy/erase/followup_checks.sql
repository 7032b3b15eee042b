-- The deal is over.
DELETE FROM followup_checks t WHERE t.pipeline_id = ANY (@deals::bigint[])
