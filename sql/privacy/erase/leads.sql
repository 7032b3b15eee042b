-- The lead stays as a number: under its new id and without anything personal. consent false is what stops a message that is on the wire at this
-- moment from being tried again. Source, product interest, industry, country and language describe groups, and what models and reports count by.
UPDATE leads t
SET ext_id = n.new_id, first_name = NULL, last_name = NULL, email = NULL, phone = NULL, company_name = NULL, company_domain = NULL, region = NULL,
    time_zone = NULL, utm_source = NULL, utm_campaign = NULL, attributes = NULL, consent_email = false, consent_phone = false,
    source = left(without_person(t.source, @terms::text[]), 32), industry = left(without_person(t.industry, @terms::text[]), 64),
    product_interest = left(without_person(t.product_interest, @terms::text[]), 64), country = left(without_person(t.country, @terms::text[]), 64),
    language = left(without_person(t.language, @terms::text[]), 16), updated_at = sales_now(), erased_at = sales_now()
FROM unnest(@leads::text[], @new_ids::text[]) AS n (ext_id, new_id)
WHERE t.ext_id = n.ext_id AND t.erased_at IS NULL
