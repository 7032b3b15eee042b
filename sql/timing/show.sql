-- Where learning stands, the three best hours of each segment and channel, intervals, and the lift by week; one JSON document.
SELECT jsonb_build_object(
  'state', CASE WHEN t.active AND t.state = 'ready' THEN 'applied' ELSE t.state END,
  'reason', t.reason,
  'active', t.active,
  'analyzed_at', t.analyzed_at,
  'analysis_days', t.analysis_days,
  'attempts', t.attempts,
  'applied_since', t.applied_since,
  'fallback_since', t.fallback_since,
  'lift', CASE WHEN t.treated_leads IS NOT NULL THEN jsonb_build_object(
    'treated_leads', t.treated_leads, 'treated_rate', t.treated_rate, 'control_leads', t.control_leads, 'control_rate', t.control_rate,
    'difference', t.difference, 'difference_low', t.difference_low, 'difference_high', t.difference_high,
    'ratio', t.ratio, 'ratio_low', t.ratio_low, 'ratio_high', t.ratio_high) END,
  'lift_by_week', coalesce((SELECT jsonb_agg(to_jsonb(w) ORDER BY w.week_start) FROM timing_lift w), '[]'),
  'profiles', coalesce((
    SELECT jsonb_agg(jsonb_build_object(
      'segment', p.segment, 'channel', p.channel, 'leads', p.leads, 'plain_rate', p.plain_rate, 'credible', p.credible,
      'best', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
          'weekday', b.weekday, 'hour', b.hour, 'rate', b.rate, 'rate_low', b.rate_low, 'rate_high', b.rate_high, 'leads', b.leads) ORDER BY b.rate DESC)
        FROM (
          SELECT * FROM timing_slots s
          WHERE s.segment = p.segment AND s.channel = p.channel AND s.credible
          ORDER BY s.rate DESC, s.weekday, s.hour LIMIT 3
        ) AS b), '[]')) ORDER BY p.channel, p.segment)
    FROM timing_profiles p), '[]'),
  'intervals', coalesce((SELECT jsonb_agg(to_jsonb(i) ORDER BY i.segment) FROM timing_intervals i), '[]'))::text
FROM timing_state t
