-- Which rows a rep sees, in tables and, through the reader who owns them, in views and the functions over them.
--
-- One predicate a table, over current_user, which a view does not change. It comes to an index condition: equality with the one address, or
-- = ANY of an array that is fetched once through an index. Measured with 310,000 leads, as many deals and a rep who
-- has 367 of them: all her leads 10 ms, with EXISTS instead 570 ms, the same as a join without policies 9 ms; v_sales_dashboard 31 ms (it filters her
-- tasks as well), with sees_all_rows() settled at each row 2,600 ms; for the worker the same as for the owner.
-- The reader's policies begin with sees_all_rows(), since everybody's views run as the reader. That function is called immutable, which it is for
-- one user: PostgreSQL then settles it while planning (a plan with policies is made anew for another user), and what is left is no condition at all
-- for the worker and the analyst, and the bare index condition for a rep. The worker's own policy is the constant true: no condition either, but
-- the planner keeps column statistics from operators that are not leakproof (those of enums and numerics) on a table with any policy, and guesses
-- there. A login with BYPASSRLS, which a superuser may give to that of the jobs, has the owner's plans.
WITH role AS (
  SELECT r.kind, r.name, a.oid FROM unnest(@kinds::text[], @role_names::text[]) AS r (kind, name) LEFT JOIN pg_roles a ON a.rolname = r.name
), mine (relation, predicate, addition) AS (
  VALUES
    ('sales_pipeline', 'assigned_to = (SELECT l.rep_email FROM rep_logins l WHERE l.login = CURRENT_USER)', ''),
    ('leads',
      'ext_id = ANY (ARRAY(SELECT p.lead_ext_id FROM sales_pipeline p WHERE p.assigned_to = '
      '(SELECT l.rep_email FROM rep_logins l WHERE l.login = CURRENT_USER)))', ''),
    ('sales_stage_history',
      'pipeline_id = ANY (ARRAY(SELECT p.id FROM sales_pipeline p WHERE p.assigned_to = '
      '(SELECT l.rep_email FROM rep_logins l WHERE l.login = CURRENT_USER)))', ''),
    ('sales_campaign_executions',
      'lead_ext_id = ANY (ARRAY(SELECT p.lead_ext_id FROM sales_pipeline p WHERE p.assigned_to = '
      '(SELECT l.rep_email FROM rep_logins l WHERE l.login = CURRENT_USER)))', ''),
    ('sales_campaign_events',
      'lead_ext_id = ANY (ARRAY(SELECT p.lead_ext_id FROM sales_pipeline p WHERE p.assigned_to = '
      '(SELECT l.rep_email FROM rep_logins l WHERE l.login = CURRENT_USER)))', ''),
    -- A task without an assignee is the task of the deal's owner. A task that is done is done by her, not by a colleague.
    ('sales_followup_tasks',
      'assigned_to = (SELECT l.rep_email FROM rep_logins l WHERE l.login = CURRENT_USER) OR (assigned_to IS NULL AND '
      'pipeline_id = ANY (ARRAY(SELECT p.id FROM sales_pipeline p WHERE p.assigned_to = '
      '(SELECT l.rep_email FROM rep_logins l WHERE l.login = CURRENT_USER))))',
      ' AND (status <> ''completed'' OR completed_by IS NULL OR completed_by = (SELECT l.rep_email FROM rep_logins l WHERE l.login = CURRENT_USER))'),
    ('sales_reps', 'email = (SELECT l.rep_email FROM rep_logins l WHERE l.login = CURRENT_USER)', ''),
    ('rep_logins', 'login = CURRENT_USER', '')
), wanted AS (
  SELECT m.relation, v.policy, r.kind AS role_kind, r.name AS role_name, r.oid AS role_oid, v.command, v.command_name, v.visible, v.writable
  FROM mine m
  CROSS JOIN LATERAL (VALUES
    ('all_rows', 'worker', '*', 'ALL', 'true', 'true'),
    ('rows_by_reader', 'reader', 'r', 'SELECT', concat('sees_all_rows() OR ', m.predicate), NULL),
    ('own_rows', 'rep', 'r', 'SELECT', m.predicate, NULL),
    ('own_rows_updated', 'rep', 'w', 'UPDATE', m.predicate, concat('(', m.predicate, ')', m.addition))
  ) AS v (policy, role_kind, command, command_name, visible, writable)
  JOIN role r ON r.kind = v.role_kind
  WHERE v.command <> 'w' OR m.relation IN ('sales_pipeline', 'sales_followup_tasks')
), relation AS (
  SELECT c.oid, c.relname, c.oid::regclass::text AS subject, c.relrowsecurity, c.relforcerowsecurity, m.relation IS NOT NULL AS wanted
  FROM pg_class c
  LEFT JOIN mine m ON m.relation = c.relname
  WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind IN ('r', 'p') AND c.relname IN (SELECT unnest(@objects::text[]))
), held AS (
  -- The server writes expressions in its own way: with more brackets, spaces and casts.
  SELECT
    r.oid, p.polname, p.polcmd, p.polroles, p.polpermissive,
    lower(regexp_replace(pg_get_expr(p.polqual, p.polrelid), '::(text|name|character varying)(\[\])?|[\s()]', '', 'g')) AS visible,
    lower(regexp_replace(pg_get_expr(p.polwithcheck, p.polrelid), '::(text|name|character varying)(\[\])?|[\s()]', '', 'g')) AS writable
  FROM relation r
  JOIN pg_policy p ON p.polrelid = r.oid
), same AS (
  SELECT
    w.relation, w.policy
  FROM wanted w
  JOIN relation r ON r.relname = w.relation
  JOIN held h ON h.oid = r.oid AND h.polname = w.policy
  WHERE h.polpermissive AND h.polcmd::text = w.command AND h.polroles = ARRAY[w.role_oid]
    AND h.visible = lower(regexp_replace(w.visible, '[\s()]', '', 'g'))
    AND h.writable IS NOT DISTINCT FROM lower(regexp_replace(w.writable, '[\s()]', '', 'g'))
), scope AS (
  SELECT p.oid, p.prosrc, format(
    ' SELECT pg_has_role(%L, ''USAGE'') OR pg_has_role(%L, ''USAGE'') OR pg_has_role(%L, ''USAGE'') OR NOT pg_has_role(%L, ''MEMBER'') ',
    (SELECT name FROM role WHERE kind = 'owner'), (SELECT name FROM role WHERE kind = 'worker'), (SELECT name FROM role WHERE kind = 'analyst'),
    (SELECT name FROM role WHERE kind = 'rep')) AS body
  FROM pg_proc p
  WHERE p.oid = to_regprocedure('sees_all_rows()')
)
SELECT d.kind, d.subject, d.role_name, d.statement
FROM (
  SELECT 1 AS turn, 'policy_wrong' AS kind, 'sees_all_rows()' AS subject, (SELECT name FROM role WHERE kind = 'reader') AS role_name,
    format('CREATE OR REPLACE FUNCTION sees_all_rows() RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %L', s.body) AS statement
  FROM scope s
  WHERE s.prosrc <> s.body
  UNION ALL
  -- Policies that are not wanted, or not as wanted; anything permissive beside ours would show more rows.
  SELECT 2, 'policy_wrong', concat(r.subject, '.', h.polname), NULL, format('DROP POLICY %I ON %s', h.polname, r.subject)
  FROM held h
  JOIN relation r ON r.oid = h.oid
  WHERE NOT EXISTS (SELECT FROM same s WHERE s.relation = r.relname AND s.policy = h.polname)
  UNION ALL
  SELECT 3, 'policy_missing', concat(r.subject, '.', w.policy), w.role_name, format(
    'CREATE POLICY %I ON %s FOR %s TO %I USING (%s)%s', w.policy, r.subject, w.command_name, w.role_name, w.visible,
    coalesce(' WITH CHECK (' || w.writable || ')', ''))
  FROM wanted w
  JOIN relation r ON r.relname = w.relation
  WHERE NOT EXISTS (SELECT FROM same s WHERE s.relation = w.relation AND s.policy = w.policy)
  UNION ALL
  -- Last, so that nobody is without rows for a moment.
  SELECT 4, 'row_security_wrong', r.subject, NULL,
    format('ALTER TABLE %s %s ROW LEVEL SECURITY', r.subject, CASE WHEN r.wanted THEN 'ENABLE' ELSE 'DISABLE' END)
  FROM relation r
  WHERE r.relrowsecurity <> r.wanted
  UNION ALL
  SELECT 4, 'row_security_wrong', r.subject, NULL, format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', r.subject)
  FROM relation r
  WHERE r.relforcerowsecurity
) d
ORDER BY d.turn, d.subject, d.statement
