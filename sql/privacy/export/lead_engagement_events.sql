-- What the person did: replies, clicks, visits.
SELECT to_jsonb(t)::text FROM lead_engagement_events t WHERE t.lead_ext_id = ANY (@leads::text[]) ORDER BY t.occurred_at, t.id
