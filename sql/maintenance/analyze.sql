-- Statistics of one table, with its owner's rights.
SELECT analyze_table(@table::text::regclass)
