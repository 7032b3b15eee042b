-- Points stay, free text goes: what other tools wrote into the history. By block range index, a few milliseconds a month.
UPDATE lead_scores t
SET scoring_factors = NULL, calculated_by = left(without_person(t.calculated_by, @terms::text[]), 64)
WHERE t.lead_id = ANY (@lead_ids::bigint[]) AND (t.scoring_factors IS NOT NULL OR t.calculated_by ~* @strong)
