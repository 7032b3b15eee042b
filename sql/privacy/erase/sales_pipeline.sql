-- The deal keeps its figures: value, dates, stage, rep. An open one ends as lost, which is how it ended; nobody can work on it.
UPDATE sales_pipeline t
SET email = 'erased', first_name = NULL, last_name = NULL, phone = NULL, notes = NULL, metadata = '{}', utm_source = NULL, utm_campaign = NULL,
    source = left(without_person(t.source, @terms::text[]), 32),
    stage = CASE WHEN t.stage < 'closed_won' THEN 'closed_lost' ELSE t.stage END, next_followup_at = NULL, updated_at = sales_now()
WHERE t.lead_ext_id = ANY (@leads::text[]) AND t.email <> 'erased'
