-- The campaigns of a batch as they are now; until the batch is committed nobody disables or changes them.
SELECT id, name, description, campaign_type, trigger_criteria::text, steps_config::text, enabled, max_leads_per_run, created_at, updated_at
FROM sales_campaigns
WHERE id = ANY (@ids::bigint[])
ORDER BY id
FOR SHARE
