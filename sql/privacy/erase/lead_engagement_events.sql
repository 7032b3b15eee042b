-- That somebody clicked or replied, and when, is what campaigns and models are measured by. Ids and texts of the source go.
UPDATE lead_engagement_events t
SET metadata = NULL, source_event_id = 'erased/' || t.id, source = left(without_person(t.source, @terms::text[]), 64),
    bot_reason = left(without_person(t.bot_reason, @terms::text[]), 64)
WHERE t.lead_ext_id = ANY (@leads::text[]) AND (t.metadata IS NOT NULL OR t.source_event_id <> 'erased/' || t.id)
