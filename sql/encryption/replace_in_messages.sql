-- Puts a token in the place of a lead's number wherever its messages have it: as recipient, and within texts that were written from templates.
-- jsonb writes a text in one way only, so the number is found as it writes it.
UPDATE outbox_messages m
SET recipient = CASE WHEN m.recipient = c.number THEN c.token ELSE m.recipient END,
    payload = replace(m.payload::text, c.written, c.token)::jsonb
FROM (
  SELECT DISTINCT ON (k.id) k.id, i.number, i.token, i.written
  FROM (SELECT n.lead, n.number, n.token, btrim(to_jsonb(n.number)::text, '"') AS written
        FROM unnest(@leads::text[], @numbers::text[], @tokens::text[]) AS n (lead, number, token)) AS i
  CROSS JOIN LATERAL (
    SELECT o.id FROM outbox_messages o
    WHERE o.lead_ext_id = i.lead AND (o.recipient = i.number OR position(i.written IN o.payload::text) > 0)
    OFFSET 0) AS k
  ORDER BY k.id
) AS c
WHERE m.id = c.id
