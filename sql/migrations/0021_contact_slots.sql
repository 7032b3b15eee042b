-- The learned instants of many leads at once. One call a lead (0017) costs ten times what the task costs that asks for it.

-- For each question (one place in all arrays) the best learned instant to contact a lead from p_earliest on, at most so many working days later:
-- p_earliest itself where nothing is learned or used, for the control, and for a lead that nobody has contacted yet (speed comes first). Within the
-- house's window on the lead's clock, within p_windows (days), p_starts and p_ends on the same clock where given (a campaign's own window), and
-- where a rep does it (p_by_rep; null: calls) within the rep's working hours on the rep's clock and not in an absence.
-- A day of waiting costs 3 % of the answers: a later hour has to be worth it. Within its hour each lead has a place of its own, so that not all
-- are due at the stroke. Leads that share everything the hour follows from share the search for it.
-- A plan of its own for each set of questions, or one compiled, would take longer than most of the answers.
CREATE FUNCTION contact_slots(
  p_lead_ext_ids varchar[], p_channels varchar[], p_earliest timestamptz[], p_working_days int[], p_by_rep boolean DEFAULT NULL,
  p_windows text[] DEFAULT NULL, p_starts time[] DEFAULT NULL, p_ends time[] DEFAULT NULL
) RETURNS timestamptz[]
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
BEGIN
  RETURN (
    WITH asked AS (
      SELECT
        i.place, i.channel, i.earliest, i.working_days, i.days::int[] AS days, i.starts, i.ends, k.zone, k.draw, f.segment, f.plain_rate,
        timing_hash('place/' || i.lead_ext_id) % 900 / 1000.0::double precision AS share,
        y.window_days, y.window_start, y.window_end, r.time_zone AS rep_zone, r.work_days, r.work_start, r.work_end,
        CASE WHEN EXISTS (
          SELECT FROM sales_rep_absences a WHERE a.rep_email = r.email AND (a.ends_at IS NULL OR a.ends_at > i.earliest)) THEN r.email END AS absent_rep
      FROM unnest(p_lead_ext_ids, p_channels, p_earliest, p_working_days, p_windows, p_starts, p_ends) WITH ORDINALITY
        AS i (lead_ext_id, channel, earliest, working_days, days, starts, ends, place)
      CROSS JOIN timing_state t
      CROSS JOIN sending_policy y
      -- OFFSET 0: lead by lead, whatever the planner thinks of the number of questions.
      LEFT JOIN LATERAL (
        SELECT true AS treated, n.industry, n.time_zone, p.assigned_to
        FROM leads n
        JOIN sales_pipeline p ON p.lead_ext_id = n.ext_id
        WHERE t.active AND n.ext_id = i.lead_ext_id AND p.first_contact_at IS NOT NULL AND contact_arm(i.lead_ext_id) = 'treated'
        OFFSET 0
      ) AS l ON true
      LEFT JOIN time_zones z ON z.name = l.time_zone
      LEFT JOIN sales_reps r ON coalesce(p_by_rep, i.channel = 'call') AND r.email = l.assigned_to
      LEFT JOIN timing_profiles o ON o.channel = i.channel AND o.segment = timing_segment(l.industry)
      LEFT JOIN timing_profiles f ON f.credible AND f.channel = i.channel AND f.segment = coalesce(o.segment, '*') AND l.treated
      CROSS JOIN LATERAL (
        SELECT
          coalesce(z.name, y.default_time_zone) AS zone,
          -- Null where the lead does not explore.
          CASE WHEN contact_explores(i.lead_ext_id, t.week) THEN 1 + timing_hash('draw/' || i.lead_ext_id) % 8 END AS draw
        OFFSET 0
      ) AS k
    ), alike AS MATERIALIZED (
      SELECT
        a.*,
        min(a.place) OVER (
          PARTITION BY
            a.segment, a.channel, a.earliest, a.working_days, a.days, a.starts, a.ends, a.zone, a.draw, a.rep_zone, a.work_days, a.work_start, a.work_end,
            a.absent_rep) AS first_place
      FROM asked a
    ), found AS (
      SELECT
        q.place, q.earliest, q.share, first_value(best.opens) OVER w AS opens, first_value(best.closes) OVER w AS closes
      FROM alike q
      LEFT JOIN LATERAL (
        SELECT c.opens, c.closes
        FROM (SELECT q.earliest AT TIME ZONE q.zone AS local OFFSET 0) AS k
        CROSS JOIN LATERAL (
          SELECT (k.local + make_interval(days => n)) AT TIME ZONE q.zone AS latest, (k.local + make_interval(days => n))::date AS day
          FROM generate_series(1, 21) AS n
          WHERE extract(isodow FROM k.local + make_interval(days => n))::int = ANY (q.window_days)
          ORDER BY n
          OFFSET q.working_days - 1 LIMIT 1
        ) AS bound
        JOIN timing_slots s ON s.segment = q.segment AND s.channel = q.channel AND (s.credible OR q.draw IS NOT NULL)
          AND s.weekday = ANY (q.window_days) AND (q.days IS NULL OR s.weekday = ANY (q.days))
        CROSS JOIN LATERAL (
          SELECT k.local::date + (s.weekday - extract(isodow FROM k.local)::int + 7) % 7 AS day OFFSET 0
        ) AS d
        CROSS JOIN LATERAL (
          SELECT ((d.day + make_interval(hours => s.hour)) AT TIME ZONE q.zone AT TIME ZONE coalesce(q.rep_zone, q.zone))::date AS rep_day OFFSET 0
        ) AS e
        CROSS JOIN LATERAL (
          SELECT
            greatest(
              q.earliest, (d.day + make_interval(hours => s.hour)) AT TIME ZONE q.zone, (d.day + q.window_start) AT TIME ZONE q.zone,
              (d.day + q.starts) AT TIME ZONE q.zone, (e.rep_day + q.work_start) AT TIME ZONE q.rep_zone) AS opens,
            least(
              bound.latest, (d.day + make_interval(hours => s.hour + 1)) AT TIME ZONE q.zone, (d.day + q.window_end) AT TIME ZONE q.zone,
              (d.day + q.ends) AT TIME ZONE q.zone, (e.rep_day + q.work_end) AT TIME ZONE q.rep_zone) AS closes
          OFFSET 0
        ) AS c
        CROSS JOIN LATERAL (
          SELECT coalesce(s.draws[q.draw], s.rate) * power(0.97::double precision, extract(epoch FROM c.opens - q.earliest)::double precision / 86400) AS worth
          OFFSET 0
        ) AS v
        WHERE q.place = q.first_place AND c.opens < c.closes
          -- What the calendar alone rules out is not converted between zones.
          AND d.day <= bound.day AND d.day + make_interval(hours => s.hour + 1) > k.local
          AND (q.draw IS NOT NULL OR v.worth > q.plain_rate)
          AND (q.work_days IS NULL OR extract(isodow FROM e.rep_day)::int = ANY (q.work_days))
          AND (q.absent_rep IS NULL OR NOT EXISTS (
            SELECT FROM sales_rep_absences a
            WHERE a.rep_email = q.absent_rep AND a.starts_at < c.closes AND (a.ends_at IS NULL OR a.ends_at > c.opens)))
        ORDER BY v.worth DESC, c.opens
        LIMIT 1
      ) AS best ON true
      WINDOW w AS (PARTITION BY q.first_place ORDER BY q.place)
    )
    SELECT array_agg(
      CASE WHEN f.opens IS NULL OR f.opens = f.earliest THEN f.earliest ELSE date_trunc('second', f.opens + (f.closes - f.opens) * f.share) END
      ORDER BY f.place)
    FROM found f
  );
END
$$;

COMMENT ON FUNCTION contact_slots(varchar[], varchar[], timestamptz[], int[], boolean, text[], time[], time[]) IS
  'the learned instants to contact leads, in the order asked: from p_earliest on and at most p_working_days later; p_earliest where nothing is learned';

-- The same for one lead.
CREATE OR REPLACE FUNCTION contact_slot(
  p_lead_ext_id varchar, p_channel varchar, p_earliest timestamptz, p_working_days int, p_by_rep boolean DEFAULT NULL, p_days int[] DEFAULT NULL,
  p_start time DEFAULT NULL, p_end time DEFAULT NULL
) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path FROM CURRENT
AS $$
  SELECT (contact_slots(
    ARRAY[p_lead_ext_id], ARRAY[p_channel], ARRAY[p_earliest], ARRAY[p_working_days], p_by_rep, ARRAY[p_days::text], ARRAY[p_start], ARRAY[p_end]))[1]
$$;
