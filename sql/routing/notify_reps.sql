-- Tells reps by e-mail, one message each for what they got in this chunk, in the transaction that gave it to them. Leads by their id, not by
-- name: the message outlives an erasure.
INSERT INTO outbox_messages (idempotency_key, channel, purpose, recipient, payload)
SELECT
  'routing/' || @run_id::bigint || '/' || @chunk::int || '/' || md5(given.rep),
  'email', 'notice', given.rep,
  jsonb_build_object(
    'subject', CASE WHEN given.spanish
      THEN CASE given.leads WHEN 1 THEN 'Un lead nuevo para ti' ELSE given.leads || ' leads nuevos para ti' END
      ELSE CASE given.leads WHEN 1 THEN 'A new lead for you' ELSE given.leads || ' new leads for you' END END,
    'text', given.list || CASE
      WHEN given.leads <= 20 THEN ''
      WHEN given.spanish THEN E'\n... y ' || given.leads - 20 || ' más'
      ELSE E'\n... and ' || given.leads - 20 || ' more' END,
    'metadata', jsonb_build_object('routing_run', @run_id::bigint, 'leads', given.leads))
FROM (
  SELECT
    x.rep,
    bool_or(r.spanish) AS spanish,
    count(*) AS leads,
    string_agg(
      concat_ws(
        ', ', p.lead_ext_id, p.priority::text, to_char(p.estimated_value, 'FM999,999,999,990.00'),
        CASE WHEN x.owner IS NOT NULL THEN CASE WHEN r.spanish THEN 'antes de ' ELSE 'formerly of ' END || x.owner END),
      E'\n' ORDER BY x.turn) FILTER (WHERE x.place <= 20) AS list
  FROM (
    SELECT *, row_number() OVER (PARTITION BY rep ORDER BY turn) AS place
    FROM unnest(@ids::bigint[], @reps::text[], @owners::text[]) WITH ORDINALITY AS u (id, rep, owner, turn)
  ) AS x
  JOIN sales_pipeline p ON p.id = x.id
  JOIN (SELECT email, coalesce(lower(languages[1]) LIKE 'es%', false) AS spanish FROM sales_reps) r ON r.email = x.rep
  GROUP BY x.rep
) AS given
ORDER BY given.rep
ON CONFLICT (idempotency_key) DO NOTHING
