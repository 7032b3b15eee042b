-- Links that a push would look at, in pages, for what it would change.
SELECT
  k.id, k.key, k.lead_ext_id, k.crm_id, k.status, k.our_base::text, k.their_base::text, k.sending::text, k.version, k.changes, k.changed_at,
  k.problem_values::text, false AS leased, k.their_modified_at
FROM crm_links k
WHERE k.crm = @crm AND k.object = @object AND k.pending AND k.id > @after AND k.status IN ('active', 'deleted_here')
ORDER BY k.id
LIMIT @limit
