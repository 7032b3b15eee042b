-- What a pull that ended early left of records that a push has just read: the push merges them as they are now, and what it writes must not be
-- taken for an edit of theirs when the older state is merged at last. A deletion, or what went into a record, the push does not see. Looked
-- up one by one, see match_links: as a join it read all 4,000 staged records for 100 asked.
DELETE FROM crm_staged
WHERE ctid = ANY (ARRAY(
  SELECT t.id
  FROM unnest(@crm_ids::text[], @modified::timestamptz[]) AS i (crm_id, modified_at)
  CROSS JOIN LATERAL (
    SELECT o.ctid AS id FROM crm_staged o
    WHERE o.crm = @crm AND o.object = @object AND o.crm_id = i.crm_id AND o.modified_at <= i.modified_at
      AND NOT o.deleted AND o.merged_ids = '{}' AND o.related_id IS NULL
    OFFSET 0
    FOR UPDATE
  ) AS t))
