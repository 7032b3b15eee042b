-- What an adoption mended in the person's rows, and rows that it set aside whole.
SELECT to_jsonb(t)::text FROM adoption_findings t
WHERE t.lead_ext_id = ANY (@ids::text[])
  OR ((t.lead_ext_id IS NULL OR t.old_row IS NOT NULL) AND concat_ws(
    ' ', t.row_key, t.lead_ext_id, t.was, t.became, t.old_row::text, t.old_row ->> 'first_name', t.old_row ->> 'last_name') ~* @strong)
ORDER BY t.id
