-- How each object of each CRM stands.
SELECT
  s.crm, o.object,
  count(k.id) FILTER (WHERE k.crm_id IS NOT NULL AND k.status = 'active') AS linked,
  count(k.id) FILTER (WHERE k.pending AND k.status = 'active') AS pending,
  count(k.id) FILTER (WHERE k.sending IS NOT NULL) AS in_doubt,
  count(k.id) FILTER (WHERE k.problem IS NOT NULL AND k.status = 'active') AS failed,
  count(k.id) FILTER (WHERE k.status = 'deleted_there') AS deleted_there,
  count(k.id) FILTER (WHERE k.status = 'deleted_here') AS deleted_here,
  count(k.id) FILTER (WHERE k.status = 'merged') AS merged,
  (SELECT count(*) FROM crm_staged g WHERE g.crm = s.crm AND g.object = o.object) AS to_merge,
  (SELECT count(*) FROM crm_conflicts c JOIN crm_links l ON l.id = c.link_id WHERE l.crm = s.crm AND l.object = o.object) AS conflicts,
  (SELECT c.window_from FROM crm_cursors c WHERE c.crm = s.crm AND c.object = o.object AND c.feed = 'changes') AS read_to
FROM crm_states s
CROSS JOIN (VALUES (1, 'lead'), (2, 'deal')) AS o (place, object)
LEFT JOIN crm_links k ON k.crm = s.crm AND k.object = o.object
GROUP BY s.crm, o.place, o.object
ORDER BY s.crm, o.place
