-- Records of a CRM that were read and are not yet merged.
SELECT to_jsonb(t)::text FROM crm_staged t
WHERE t.properties::text ~* @strong OR t.key = ANY (@ids::text[]) OR concat_ws('/', t.crm, t.object, t.crm_id) = ANY (@staged::text[]) OR EXISTS (
    SELECT FROM crm_links k WHERE k.crm = t.crm AND k.object = t.object AND k.crm_id = t.crm_id AND k.lead_ext_id = ANY (@leads::text[]))
ORDER BY t.crm, t.object, t.crm_id
