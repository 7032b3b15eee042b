-- These deals are attached now.
UPDATE crm_links k
SET related_to = i.lead_crm_id, lease_token = NULL, lease_until = NULL
FROM unnest(@ids::bigint[], @lead_crm_ids::text[]) AS i (id, lead_crm_id)
WHERE k.id = i.id AND k.lease_token = @token::uuid
