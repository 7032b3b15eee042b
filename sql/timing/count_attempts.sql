-- Counts the attempts from @since_at on whose window for an answer was over at @as_of: by segment, channel and hour of the lead's own week, and by days since
-- the contact before. Gives back the total, and what both arms reached since @applied_at (null: learned hours are not in use), in all and week
-- by week: each lead counts once, with the share of its attempts that were answered.
WITH attempt AS MATERIALIZED (
  SELECT
    a.lead_ext_id, a.channel, a.attempted_at, a.days_since_contact, a.answered, timing_segment(l.industry) AS segment,
    a.attempted_at AT TIME ZONE coalesce(z.name, s.default_time_zone) AS local
  FROM contact_attempts(@since_at, @as_of) AS a
  JOIN leads l ON l.ext_id = a.lead_ext_id
  CROSS JOIN sending_policy s
  LEFT JOIN time_zones z ON z.name = l.time_zone
), counted AS (
  INSERT INTO timing_counts (segment, channel, weekday, hour, leads, attempts, answered)
  SELECT c.segment, c.channel, c.weekday, c.hour, count(*), sum(c.attempts), sum(c.share)
  FROM (
    SELECT
      a.segment, a.channel, extract(isodow FROM a.local)::int AS weekday, extract(hour FROM a.local)::int AS hour,
      count(*) AS attempts, avg(a.answered::int)::double precision AS share
    FROM attempt a
    GROUP BY a.segment, a.channel, extract(isodow FROM a.local)::int, extract(hour FROM a.local)::int, a.lead_ext_id
  ) AS c
  GROUP BY c.segment, c.channel, c.weekday, c.hour
), gaps AS (
  INSERT INTO timing_gaps (segment, days, contacts, answered, expected)
  SELECT a.segment, a.days_since_contact, count(*), count(*) FILTER (WHERE a.answered), sum(r.rate)
  FROM attempt a
  JOIN (
    SELECT segment, channel, avg(answered::int)::double precision AS rate FROM attempt WHERE days_since_contact BETWEEN 1 AND 14 GROUP BY segment, channel
  ) AS r USING (segment, channel)
  WHERE a.days_since_contact BETWEEN 1 AND 14
  GROUP BY a.segment, a.days_since_contact
), lifted AS (
  SELECT
    a.lead_ext_id, contact_arm(a.lead_ext_id) AS arm, (date_trunc('week', a.attempted_at AT TIME ZONE 'UTC'))::date AS week_start,
    a.answered::int AS answered
  FROM attempt a
  WHERE a.attempted_at >= @applied_at
)
SELECT NULL::date AS week_start, 'all' AS arm, count(DISTINCT lead_ext_id) AS leads, count(*)::double precision AS sum, count(*) FILTER (WHERE answered)::double precision AS squares
FROM attempt
UNION ALL
SELECT NULL, o.arm, count(*), sum(o.share), sum(o.share * o.share)
FROM (SELECT arm, lead_ext_id, avg(answered)::double precision AS share FROM lifted GROUP BY arm, lead_ext_id) AS o
GROUP BY o.arm
UNION ALL
SELECT w.week_start, w.arm, count(*), sum(w.share), sum(w.share * w.share)
FROM (SELECT week_start, arm, lead_ext_id, avg(answered)::double precision AS share FROM lifted GROUP BY week_start, arm, lead_ext_id) AS w
GROUP BY w.week_start, w.arm
ORDER BY 1 NULLS FIRST, 2
