-- Nothing is to follow from it any more.
DELETE FROM pipeline_outcomes t WHERE t.lead_ext_id = ANY (@leads::text[]) OR t.lead_ext_id = ANY (@new_ids::text[])
