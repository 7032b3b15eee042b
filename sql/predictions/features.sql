-- What was known at each of the moments.
SELECT f.* FROM deal_features(@pipeline_ids, @instants) AS f ORDER BY f.at, f.pipeline_id
