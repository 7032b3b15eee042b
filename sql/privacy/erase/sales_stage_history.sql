-- Stages and instants stay; who changed them is our own people, unless an import said the person did.
UPDATE sales_stage_history t SET changed_by = without_person(t.changed_by, @terms::text[])
WHERE t.lead_ext_id = ANY (@leads::text[]) AND t.changed_by ~* @strong
