-- Another spelling of the same values.
UPDATE crm_links k
SET our_base = i.our_base::jsonb, their_base = i.their_base::jsonb, sending = i.sending::jsonb, problem_values = i.problem_values::jsonb
FROM unnest(@ids::bigint[], @our_bases::text[], @their_bases::text[], @sendings::text[], @problem_values::text[])
  AS i (id, our_base, their_base, sending, problem_values)
WHERE k.id = i.id
