-- Loads every stage the deals went through.
COPY sales_stage_history (pipeline_id, lead_ext_id, from_stage, to_stage, changed_at, changed_by) FROM STDIN (FORMAT BINARY)
