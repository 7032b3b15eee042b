-- The restore that this copy of the database came out of and that nobody has released yet.
SELECT backup, taken_at FROM restorations WHERE released_at IS NULL ORDER BY id DESC LIMIT 1
