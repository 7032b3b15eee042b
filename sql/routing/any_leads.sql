-- Whether there is a lead to decide about at all, by the conditions of load_leads.sql, so that an idle run need not learn two years of results
-- first. A deal that is silent but for a completed task counts here; load_leads.sql looks at that.
SELECT
  EXISTS (SELECT FROM sales_pipeline p WHERE p.assigned_to IS NULL AND p.stage < 'closed_won')
  OR (NOT @only_unassigned::boolean AND EXISTS (
    SELECT
    FROM sales_pipeline p
    LEFT JOIN sales_reps r ON r.email = p.assigned_to
    WHERE p.assigned_to IS NOT NULL AND p.stage < 'closed_won'
      AND (NOT r.active OR (
        coalesce(p.assigned_at, p.qualified_at) < @stale_since_at
        AND coalesce(greatest(p.last_contact_at, p.first_contact_at), '-infinity') < @stale_since_at))))
