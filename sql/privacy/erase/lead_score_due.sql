-- An erased lead is not scored again.
DELETE FROM lead_score_due t WHERE t.lead_id = ANY (@lead_ids::bigint[])
