-- The first push looks at everything.
INSERT INTO crm_changes (crm, lead_ext_id, changed_at) SELECT @crm, ext_id, coalesce(updated_at, created_at, sales_now()) FROM leads WHERE erased_at IS NULL
