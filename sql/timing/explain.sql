-- Why a lead's next contact is when it is: the next of its pending follow-up task, its next follow-up and its waiting campaign message, the hour on its
-- own clock with what is believed about it, its segment and arm. Null where nothing is planned.
SELECT jsonb_build_object(
  'kind', n.kind, 'channel', n.channel, 'at', n.at, 'local', to_char(n.local, 'YYYY-MM-DD HH24:MI'), 'time_zone', n.zone,
  'weekday', extract(isodow FROM n.local)::int, 'hour', extract(hour FROM n.local)::int,
  'segment', n.segment, 'arm', contact_arm(l.ext_id),
  'explores', t.active AND contact_arm(l.ext_id) = 'treated' AND contact_explores(l.ext_id, t.week),
  'active', t.active, 'state', CASE WHEN t.active AND t.state = 'ready' THEN 'applied' ELSE t.state END,
  'overdue', n.at < sales_now(), 'moved', v.id IS NOT NULL, 'plain_at', v.plain_at,
  'profile', f.segment, 'plain_rate', f.plain_rate, 'rate', s.rate, 'rate_low', s.rate_low, 'rate_high', s.rate_high, 'credible', s.credible,
  'interval_days', c.interval_days)::text
FROM leads l
CROSS JOIN timing_state t
JOIN LATERAL (
  SELECT w.*, coalesce(z.name, y.default_time_zone) AS zone, w.at AT TIME ZONE coalesce(z.name, y.default_time_zone) AS local,
    timing_segment(l.industry) AS segment
  FROM (
    SELECT 'task' AS kind, k.id, k.task_type AS channel, k.due_date AS at
    FROM sales_followup_tasks k
    WHERE k.lead_ext_id = l.ext_id AND k.status = 'pending' AND k.task_type IN ('email', 'call') AND k.due_date IS NOT NULL
    UNION ALL
    SELECT 'message', m.id, m.channel, m.not_before
    FROM outbox_messages m
    WHERE m.lead_ext_id = l.ext_id AND m.status = 'pending' AND m.reaches_lead AND m.purpose = 'campaign'
    UNION ALL
    SELECT 'followup', p.id, f.task_type, p.next_followup_at
    FROM sales_pipeline p
    LEFT JOIN followup_templates f ON f.stage = p.stage AND NOT f.after_meeting
    WHERE p.lead_ext_id = l.ext_id AND p.stage < 'closed_won' AND p.next_followup_at IS NOT NULL
  ) AS w
  CROSS JOIN sending_policy y
  LEFT JOIN time_zones z ON z.name = l.time_zone
  ORDER BY w.at, w.kind DESC
  LIMIT 1
) AS n ON true
LEFT JOIN timing_moves v ON v.kind = n.kind AND v.id = n.id AND v.moved_to = n.at
LEFT JOIN timing_profiles f ON f.channel = n.channel
  AND f.segment = coalesce((SELECT o.segment FROM timing_profiles o WHERE o.segment = n.segment AND o.channel = n.channel), '*')
LEFT JOIN timing_slots s ON s.segment = f.segment AND s.channel = n.channel
  AND s.weekday = extract(isodow FROM n.local)::int AND s.hour = extract(hour FROM n.local)::int
LEFT JOIN lead_contact_timing c ON c.lead_ext_id = l.ext_id
WHERE l.ext_id = @lead
