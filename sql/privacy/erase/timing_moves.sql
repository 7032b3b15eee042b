-- Of tasks and messages that are over.
DELETE FROM timing_moves t WHERE t.lead_ext_id = ANY (@leads::text[]) OR t.lead_ext_id = ANY (@new_ids::text[])
