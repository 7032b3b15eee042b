-- The group roles of this database by kind; none where db roles apply was never run. Rows of a database this one is a copy of do not count.
SELECT k.kind, k.role_name::text AS role_name
FROM database_roles k
WHERE k.database_name = current_database()
