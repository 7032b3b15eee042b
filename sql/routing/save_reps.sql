-- Adds reps or changes them by e-mail: a JSON array of documents in which only what is to change is named. Rows that stay as they are are not
-- written. One row a document: what became of it.
WITH given AS MATERIALIZED (
  SELECT lower(btrim(d.document ->> 'email')) AS email, d.document AS doc
  FROM jsonb_array_elements(@documents::jsonb) AS d (document)
), wanted AS MATERIALIZED (
  SELECT
    g.email,
    r.email IS NOT NULL AS known,
    coalesce(g.doc ->> 'name', r.name, g.email) AS name,
    coalesce((g.doc ->> 'active')::boolean, r.active, true) AS active,
    CASE WHEN g.doc ? 'max_active_leads' THEN (g.doc ->> 'max_active_leads')::int ELSE r.max_active_leads END AS max_active_leads,
    CASE WHEN g.doc ? 'min_active_leads' THEN (g.doc ->> 'min_active_leads')::int ELSE r.min_active_leads END AS min_active_leads,
    coalesce((g.doc ->> 'weight')::numeric(6, 3), r.weight, 1) AS weight,
    CASE WHEN g.doc ? 'specialisations' THEN ARRAY(SELECT jsonb_array_elements_text(g.doc -> 'specialisations')) ELSE coalesce(r.specialisations, '{}') END AS specialisations,
    CASE WHEN g.doc ? 'languages' THEN ARRAY(SELECT jsonb_array_elements_text(g.doc -> 'languages')) ELSE coalesce(r.languages, '{}') END AS languages,
    CASE WHEN g.doc ? 'regions' THEN ARRAY(SELECT jsonb_array_elements_text(g.doc -> 'regions')) ELSE coalesce(r.regions, '{}') END AS regions,
    coalesce(g.doc ->> 'time_zone', r.time_zone, 'UTC') AS time_zone,
    CASE WHEN g.doc ? 'work_days' THEN ARRAY(SELECT jsonb_array_elements_text(g.doc -> 'work_days')::int) ELSE coalesce(r.work_days, '{1,2,3,4,5}') END AS work_days,
    coalesce((g.doc ->> 'work_start')::time, r.work_start, '09:00') AS work_start,
    coalesce((g.doc ->> 'work_end')::time, r.work_end, '18:00') AS work_end
  FROM given g
  LEFT JOIN sales_reps r ON r.email = g.email
), saved AS (
  INSERT INTO sales_reps AS r (
    email, name, active, max_active_leads, min_active_leads, weight, specialisations, languages, regions, time_zone, work_days, work_start, work_end)
  SELECT email, name, active, max_active_leads, min_active_leads, weight, specialisations, languages, regions, time_zone, work_days, work_start, work_end
  FROM wanted
  ORDER BY email
  ON CONFLICT (email) DO UPDATE SET
    name = excluded.name, active = excluded.active, max_active_leads = excluded.max_active_leads, min_active_leads = excluded.min_active_leads,
    weight = excluded.weight, specialisations = excluded.specialisations, languages = excluded.languages, regions = excluded.regions,
    time_zone = excluded.time_zone, work_days = excluded.work_days, work_start = excluded.work_start, work_end = excluded.work_end
  WHERE (r.name, r.active, r.max_active_leads, r.min_active_leads, r.weight, r.specialisations, r.languages, r.regions, r.time_zone, r.work_days,
      r.work_start, r.work_end)
    IS DISTINCT FROM (excluded.name, excluded.active, excluded.max_active_leads, excluded.min_active_leads, excluded.weight,
      excluded.specialisations, excluded.languages, excluded.regions, excluded.time_zone, excluded.work_days, excluded.work_start, excluded.work_end)
  RETURNING email
)
SELECT w.email, CASE WHEN s.email IS NULL THEN 'unchanged' WHEN w.known THEN 'changed' ELSE 'added' END
FROM wanted w
LEFT JOIN saved s ON s.email = w.email
ORDER BY w.email
