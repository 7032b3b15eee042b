-- What is not sealed yet, by place, and what is sealed with another key than @key.
SELECT
  (SELECT count(*) FROM leads WHERE phone <> '' AND left(phone, 7) <> 'sealed-') AS leads,
  (
    SELECT count(*) FROM sales_pipeline
    WHERE (phone <> '' AND left(phone, 7) <> 'sealed-') OR (notes <> '' AND notes !~ '^sealed-[a-p]{32}$')) AS deals,
  (
    SELECT count(*) FROM outbox_messages
    WHERE lead_ext_id IS NOT NULL AND ((channel = 'call' AND recipient NOT LIKE 'sealed-%') OR payload ->> 'phone' NOT LIKE 'sealed-%'
      OR payload #>> '{metadata,lead_phone}' NOT LIKE 'sealed-%')) AS messages,
  (
    SELECT count(*) FROM crm_links
    WHERE sealed_otherwise(our_base, '') OR sealed_otherwise(their_base, '') OR sealed_otherwise(sending, '') OR sealed_otherwise(problem_values, ''))
    + (SELECT count(*) FROM crm_conflicts WHERE field IN ('phone', 'notes') AND (
        sealed_otherwise(jsonb_build_object('phone', base_value, 'notes', our_value), '') OR sealed_otherwise(jsonb_build_object('phone', their_value), '')))
    + (SELECT count(*) FROM crm_staged WHERE sealed_otherwise(properties, '')) AS crm,
  (SELECT count(*) FROM sealed_values WHERE key_id <> @key) AS older
