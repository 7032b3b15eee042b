-- Campaigns as they are stored: all, those of some ids, or the one of a name.
SELECT id, name, description, campaign_type, trigger_criteria::text, steps_config::text, enabled, max_leads_per_run, created_at, updated_at
FROM sales_campaigns
WHERE (@ids::bigint[] IS NULL OR id = ANY (@ids)) AND (@name::text IS NULL OR name = @name)
ORDER BY id
