-- A dry run works on copies of what it would change. Temporary tables of the same names hide the real ones from every statement of this
-- transaction, and go with it: nothing that is there is written or locked, and a real run beside it misses nothing.
CREATE TEMP TABLE sales_campaign_executions ON COMMIT DROP AS
SELECT * FROM sales_campaign_executions WHERE status IN ('active', 'paused') OR metadata ->> 'stop_reason' = 'campaign_disabled'
