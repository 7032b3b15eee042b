-- What both sides agreed on last, of these ids of the CRM.
SELECT crm_id, their_base::text FROM crm_links WHERE crm = @crm AND object = @object AND crm_id = ANY (@crm_ids::text[])
