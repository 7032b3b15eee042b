-- These are merged.
DELETE FROM crm_staged WHERE crm = @crm AND object = @object AND crm_id = ANY (@crm_ids::text[])
