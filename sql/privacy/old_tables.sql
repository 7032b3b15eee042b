-- Where the tables of an earlier installation still are.
SELECT a.old_schema::text FROM adoptions a WHERE a.finished_at IS NULL
