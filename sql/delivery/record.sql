-- What became of messages on the wire, fenced by our token: a message that another dispatcher took over meanwhile is left alone. With it,
-- in one statement, its campaign event and the lead's contact times (a contact is an e-mail or a call that was sent). Pipeline rows are
-- locked in the order of their ids.
WITH outcome AS MATERIALIZED (
  SELECT *
  FROM unnest(
    @ids::bigint[], @statuses::text[], @codes::int[], @reasons::text[], @delays::double precision[], @failed::boolean[]) AS o (id, status, code, reason, delay, failed)
), done AS (
  UPDATE outbox_messages m
  SET status = o.status,
      response_status = o.code,
      reason = o.reason,
      failures = m.failures + o.failed::int,
      not_before = CASE WHEN o.delay IS NULL THEN m.not_before ELSE sales_now() + o.delay * interval '1 second' END,
      sent_at = CASE WHEN o.status = 'sent' THEN sales_now() END,
      finished_at = CASE WHEN o.status <> 'pending' THEN sales_now() END,
      lease_token = NULL,
      lease_until = NULL
  FROM outcome o
  WHERE m.id = o.id AND m.lease_token = @token AND m.status IN ('leased', 'sending')
  RETURNING m.id, m.status, m.lead_ext_id, m.reaches_lead, m.campaign_event_id, m.reason
), events AS (
  UPDATE sales_campaign_events e
  SET status = CASE WHEN d.status = 'sent' THEN 'sent' ELSE 'failed' END,
      executed_at = CASE WHEN d.status = 'sent' THEN sales_now() ELSE e.executed_at END,
      metadata = CASE WHEN d.status = 'sent' THEN e.metadata ELSE coalesce(e.metadata, '{}') || jsonb_build_object('failure', d.reason) END
  FROM done d
  WHERE e.id = d.campaign_event_id AND d.status IN ('sent', 'dead') AND e.status = 'queued'
), contacted AS MATERIALIZED (
  SELECT p.id
  FROM sales_pipeline p
  WHERE p.lead_ext_id IN (SELECT d.lead_ext_id FROM done d WHERE d.status = 'sent' AND d.reaches_lead)
  ORDER BY p.id
  FOR NO KEY UPDATE
), contacts AS (
  UPDATE sales_pipeline p
  SET first_contact_at = coalesce(p.first_contact_at, sales_now()), last_contact_at = greatest(p.last_contact_at, sales_now())
  FROM contacted
  WHERE p.id = contacted.id
)
SELECT id FROM done
