-- Saves a campaign under its name; the same again changes nothing. Whether an existing one is enabled is not touched: that is switched by
-- enable and disable. xmax tells an insert from an update.
INSERT INTO sales_campaigns AS c (
  name, description, campaign_type, trigger_criteria, steps_config, enabled, max_leads_per_run, created_at, updated_at)
VALUES (@name, @description, @type, @criteria::jsonb, @steps::jsonb, @enabled, @max_leads, @as_of, @as_of)
ON CONFLICT (name) DO UPDATE SET
  description = excluded.description, campaign_type = excluded.campaign_type, trigger_criteria = excluded.trigger_criteria,
  steps_config = excluded.steps_config, max_leads_per_run = excluded.max_leads_per_run, updated_at = excluded.updated_at
WHERE (c.description, c.campaign_type, c.trigger_criteria, c.steps_config, c.max_leads_per_run)
  IS DISTINCT FROM
  (excluded.description, excluded.campaign_type, excluded.trigger_criteria, excluded.steps_config, excluded.max_leads_per_run)
RETURNING xmax = 0 AS created
