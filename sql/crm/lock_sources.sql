-- Once, before everything is listed: a change that is not committed yet would be listed by nobody.
LOCK TABLE leads, sales_pipeline IN SHARE MODE
