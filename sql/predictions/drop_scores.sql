-- Scores of a model that no longer answers say nothing any more; those that others put there stay.
DELETE FROM lead_model_scores WHERE model_version LIKE 'win:%' OR model_version = 'endpoint'
