-- These are merged; take_staged.sql has locked them. Looked up one by one, see match_links: given as a list, 50,000 staged records were read for
-- each 500 merged (11,800 pages, now 3,000).
DELETE FROM crm_staged
WHERE ctid = ANY (ARRAY(
  SELECT t.id
  FROM unnest(@crm_ids::text[]) AS i (crm_id)
  CROSS JOIN LATERAL (
    SELECT o.ctid AS id FROM crm_staged o WHERE o.crm = @crm AND o.object = @object AND o.crm_id = i.crm_id OFFSET 0
  ) AS t))
