-- What became of an object that is no row: a view, a key, a trigger, a column.
INSERT INTO adoption_findings (table_name, row_key, rule, column_name, was, became)
VALUES (left(@object_name::text, 63), @kind::text, @rule::text, @column_name::text, @was::text, @became::text)
