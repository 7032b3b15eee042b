-- What a pull that ended early left of records that a push has just read: the push merges them as they are now, and what it writes must not be
-- taken for an edit of theirs when the older state is merged at last. A deletion, or what went into a record, the push does not see.
DELETE FROM crm_staged s
USING unnest(@crm_ids::text[], @modified_at::timestamptz[]) AS i (crm_id, modified_at)
WHERE s.crm = @crm AND s.object = @object AND s.crm_id = i.crm_id AND s.modified_at <= i.modified_at AND NOT s.deleted AND s.merged_ids = '{}'
  AND s.related_id IS NULL
