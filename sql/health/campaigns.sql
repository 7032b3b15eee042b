-- Campaigns that are enabled, and leads that run through one. Nothing here is a fault: what is due and not done is the next check.
-- title en: Campaigns
-- title es: Campañas
-- text en: {enabled} enabled, {active} leads in them, {paused} paused
-- text es: {enabled} activas, con {active} leads; {paused} en pausa
SELECT
  NULL::text AS subject, NULL::text AS severity, '' AS variant,
  jsonb_build_object(
    'enabled', (SELECT count(*) FROM sales_campaigns WHERE enabled),
    'active', (SELECT count(*) FROM sales_campaign_executions x JOIN sales_campaigns c ON c.id = x.campaign_id AND c.enabled WHERE x.status = 'active'),
    'paused', (SELECT count(*) FROM sales_campaign_executions WHERE status = 'paused'))::text AS facts
