-- Another spelling of the same values.
UPDATE crm_conflicts c
SET base_value = i.base_value, our_value = i.our_value, their_value = i.their_value
FROM unnest(@ids::bigint[], @base_values::text[], @our_values::text[], @their_values::text[]) AS i (id, base_value, our_value, their_value)
WHERE c.id = i.id
