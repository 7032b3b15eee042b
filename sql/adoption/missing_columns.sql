-- Columns that an old table did not have: said once, and not for each of its rows.
INSERT INTO adoption_findings (table_name, row_key, rule, column_name)
SELECT @table_name::text, 'column', 'missing_column', m.name
FROM unnest(@columns::text[]) AS m (name)
