-- What is sealed, by place.
SELECT
  (SELECT count(*) FROM leads WHERE phone LIKE 'sealed-%') AS leads,
  (SELECT count(*) FROM sales_pipeline WHERE phone LIKE 'sealed-%' OR notes ~ 'sealed-[a-p]{16}') AS deals,
  (
    SELECT count(*) FROM outbox_messages
    WHERE lead_ext_id IS NOT NULL AND (recipient LIKE 'sealed-%' OR position('sealed-' IN payload::text) > 0)) AS messages,
  (SELECT count(*) FROM sales_followup_tasks WHERE position('sealed-' IN task_title) > 0 OR position('sealed-' IN task_description) > 0) AS tasks,
  (
    SELECT count(*) FROM crm_links
    WHERE sealed_otherwise(our_base, NULL) OR sealed_otherwise(their_base, NULL) OR sealed_otherwise(sending, NULL) OR sealed_otherwise(problem_values, NULL))
    + (SELECT count(*) FROM crm_conflicts WHERE field IN ('phone', 'notes') AND (
        sealed_otherwise(jsonb_build_object('phone', base_value, 'notes', our_value), NULL) OR sealed_otherwise(jsonb_build_object('phone', their_value), NULL)))
    + (SELECT count(*) FROM crm_staged WHERE sealed_otherwise(properties, NULL)) AS crm
