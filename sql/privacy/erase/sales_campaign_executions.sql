-- Under way no more; the variant stays, which results are compared by.
UPDATE sales_campaign_executions t
SET status = CASE WHEN t.status IN ('active', 'paused') THEN 'stopped' ELSE t.status END,
    completed_at = CASE WHEN t.status IN ('active', 'paused') THEN sales_now() ELSE t.completed_at END,
    next_action_at = NULL, updated_at = sales_now(),
    metadata = jsonb_strip_nulls(jsonb_build_object(
      'variant', left(t.metadata ->> 'variant', 64),
      'stop_reason', CASE WHEN t.status IN ('active', 'paused') THEN 'erased' ELSE left(t.metadata ->> 'stop_reason', 32) END))
WHERE t.lead_ext_id = ANY (@leads::text[])
