-- That a message went out and when, and the reply of which it is the record. What was to come is skipped, but for what is on the wire now.
UPDATE sales_campaign_events t
SET status = CASE WHEN t.status = 'queued' AND NOT EXISTS (
      SELECT FROM outbox_messages m WHERE m.campaign_event_id = t.id AND m.status = 'sending') THEN 'skipped' ELSE t.status END,
    metadata = jsonb_strip_nulls(jsonb_build_object(
      'variant', left(t.metadata ->> 'variant', 64), 'engagement_event_id', t.metadata -> 'engagement_event_id',
      'skip_reason', CASE WHEN t.status = 'queued' THEN 'erased' ELSE left(t.metadata ->> 'skip_reason', 32) END))
WHERE t.lead_ext_id = ANY (@leads::text[])
