-- Of these leads those that have no record in the CRM sync.
SELECT given.ext_id
FROM unnest(@leads::text[]) WITH ORDINALITY AS given (ext_id, place)
WHERE NOT EXISTS (SELECT FROM crm_links k WHERE k.lead_ext_id = given.ext_id)
ORDER BY given.place
