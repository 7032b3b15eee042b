-- The next records to merge.
SELECT crm_id, key, modified_at, deleted, merged_ids, related_id, properties::text
FROM crm_staged
WHERE crm = @crm AND object = @object AND crm_id > @after
ORDER BY crm_id
LIMIT @limit
FOR UPDATE SKIP LOCKED
