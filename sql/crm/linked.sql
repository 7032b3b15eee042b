-- Records on both sides: what a share of changes is measured against.
SELECT count(*) FROM crm_links WHERE crm = @crm AND object = @object AND crm_id IS NOT NULL AND status IN ('active', 'deleted_here')
