-- Undoes pause_first_stages.sql.
ALTER TABLE sales_pipeline ENABLE TRIGGER sales_pipeline_first_stages
