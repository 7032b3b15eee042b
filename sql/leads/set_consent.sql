-- Consent of these leads on the channels that are given (null: left alone); leads that agree already are not touched.
UPDATE leads l
SET consent_email = coalesce(@email::boolean, l.consent_email), consent_phone = coalesce(@phone::boolean, l.consent_phone), updated_at = sales_now()
FROM (SELECT lead_id FROM leads WHERE ext_id = ANY (@leads::text[]) ORDER BY lead_id FOR NO KEY UPDATE) AS locked
WHERE l.lead_id = locked.lead_id
  AND (l.consent_email, l.consent_phone) IS DISTINCT FROM (coalesce(@email::boolean, l.consent_email), coalesce(@phone::boolean, l.consent_phone))
