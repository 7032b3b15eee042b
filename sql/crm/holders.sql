-- Which of these ids of the CRM have a link already.
SELECT crm_id FROM crm_links WHERE crm = @crm AND object = @object AND crm_id = ANY (@crm_ids::text[])
