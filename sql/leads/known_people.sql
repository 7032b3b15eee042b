-- Leads with one of these e-mail addresses or phone numbers, oldest first: of an address the oldest lead, of a number the 50 oldest (what
-- more people share identifies nobody). lead_id + 0 keeps the planner from walking all leads in their order until it meets one.
SELECT p.ext_id, p.email_key, p.phone_key, p.first_name_key, p.last_name_key
FROM (
  SELECT found.*
  FROM unnest(@emails::text[]) AS k (email)
  CROSS JOIN LATERAL (
    SELECT
      l.lead_id, l.ext_id, lower(l.email) AS email_key, regexp_replace(l.phone, '[^0-9]', '', 'g') AS phone_key,
      lower(btrim(l.first_name)) AS first_name_key, lower(btrim(l.last_name)) AS last_name_key
    FROM leads l
    WHERE lower(l.email) = k.email AND l.email IS NOT NULL
    ORDER BY l.lead_id + 0
    LIMIT 1
  ) AS found
  UNION
  SELECT found.*
  FROM unnest(@phones::text[]) AS k (phone)
  CROSS JOIN LATERAL (
    SELECT
      l.lead_id, l.ext_id, lower(l.email) AS email_key, regexp_replace(l.phone, '[^0-9]', '', 'g') AS phone_key,
      lower(btrim(l.first_name)) AS first_name_key, lower(btrim(l.last_name)) AS last_name_key
    FROM leads l
    WHERE regexp_replace(l.phone, '[^0-9]', '', 'g') = k.phone AND l.phone IS NOT NULL
    ORDER BY l.lead_id + 0
    LIMIT 50
  ) AS found
) AS p
ORDER BY p.lead_id
