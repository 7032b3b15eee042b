-- Another spelling of the same values.
UPDATE crm_staged s
SET properties = i.properties::jsonb
FROM unnest(@crms::text[], @objects::text[], @crm_ids::text[], @properties::text[]) AS i (crm, object, crm_id, properties)
WHERE s.crm = i.crm AND s.object = i.object AND s.crm_id = i.crm_id
