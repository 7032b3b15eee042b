-- Holds the running experiment until the end of the transaction. FOR UPDATE waits for those that are putting leads into it at this moment
-- (their foreign key holds the row), so that the statement after this one sees every lead it has to let go.
SELECT id, name FROM experiments WHERE ended_at IS NULL FOR UPDATE
