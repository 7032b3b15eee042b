-- Moves the next @chunk messages of campaigns after @after that wait for a later time to learned hours, within the campaign's own window too.
-- Only those that nothing else put off and that timing did not set before; what a dispatcher holds is left alone. The next step counts from the sending, so
-- order is kept.
WITH candidate AS MATERIALIZED (
  SELECT m.id, m.lead_ext_id, m.channel, m.not_before, m.window_days, m.window_start, m.window_end
  FROM outbox_messages m
  WHERE m.id > @after AND m.status = 'pending' AND m.purpose = 'campaign' AND m.reaches_lead AND m.attempts = 0 AND m.reason IS NULL
    AND m.channel IN ('email', 'call') AND m.not_before > @as_of
    AND NOT EXISTS (SELECT FROM timing_moves v WHERE v.kind = 'message' AND v.id = m.id)
    AND NOT EXISTS (SELECT FROM held_out_leads h WHERE h.lead_ext_id = m.lead_ext_id)
  ORDER BY m.id
  LIMIT @chunk
  FOR UPDATE OF m SKIP LOCKED
), asked AS MATERIALIZED (
  SELECT c.*, row_number() OVER (ORDER BY c.id) AS place FROM candidate c
), slots AS MATERIALIZED (
  SELECT contact_slots(
    array_agg(a.lead_ext_id ORDER BY a.place), array_agg(a.channel ORDER BY a.place), array_agg(a.not_before ORDER BY a.place),
    array_agg(3 ORDER BY a.place), NULL, array_agg(a.window_days::text ORDER BY a.place), array_agg(a.window_start ORDER BY a.place),
    array_agg(a.window_end ORDER BY a.place)) AS at
  FROM asked a
), placed AS MATERIALIZED (
  SELECT a.*, (SELECT at FROM slots)[a.place] AS slot FROM asked a
), moved AS (
  UPDATE outbox_messages m SET not_before = p.slot FROM placed p WHERE m.id = p.id AND p.slot <> p.not_before RETURNING m.id
), kept AS (
  INSERT INTO timing_moves (kind, id, lead_ext_id, plain_at, moved_to, moved_at)
  SELECT 'message', p.id, p.lead_ext_id, p.not_before, p.slot, @as_of FROM placed p WHERE p.slot <> p.not_before ORDER BY p.id
)
SELECT count(*), coalesce(max(id), 0), (SELECT count(*) FROM moved) FROM candidate
