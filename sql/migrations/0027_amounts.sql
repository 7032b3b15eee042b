-- An amount is a number: NaN (and infinity, where the server has it) makes every sum that it is in as useless as itself. What is there goes.
UPDATE leads SET estimated_value = NULL WHERE NOT abs(estimated_value) < 1e15;
UPDATE sales_pipeline SET estimated_value = NULL WHERE NOT abs(estimated_value) < 1e15;

ALTER TABLE leads ADD CONSTRAINT leads_estimated_value_is_a_number CHECK (abs(estimated_value) < 1e15);
ALTER TABLE sales_pipeline ADD CONSTRAINT sales_pipeline_estimated_value_is_a_number CHECK (abs(estimated_value) < 1e15);
