-- The links outlive the person without a value of it (a trigger empties them): a record that the CRM still shows is known and brings nobody back.
UPDATE crm_links t SET lead_ext_id = NULL WHERE t.lead_ext_id = ANY (@leads::text[])
