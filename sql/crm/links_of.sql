-- Which of these ids of the CRM are links in this state.
SELECT crm_id FROM crm_links WHERE crm = @crm AND object = @object AND crm_id = ANY (@crm_ids::text[]) AND status = @status
