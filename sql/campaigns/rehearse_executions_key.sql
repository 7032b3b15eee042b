-- A batch changes thousands of the copies by their ids.
CREATE UNIQUE INDEX ON sales_campaign_executions (id)
