-- Tells the team's Slack channel once a run, with its result. Reps by the name before the @, within what one section holds.
INSERT INTO outbox_messages (idempotency_key, channel, purpose, payload)
SELECT
  'routing/' || @run_id::bigint, 'slack', 'notice',
  jsonb_build_object('text', @title::text, 'blocks', jsonb_build_array(
    jsonb_build_object('type', 'section', 'text', jsonb_build_object('type', 'mrkdwn', 'text', @text::text))))
ON CONFLICT (idempotency_key) DO NOTHING
