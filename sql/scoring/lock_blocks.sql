-- Takes the blocks @from to @to, in order, so that two runs take turns and never deadlock.
SELECT block FROM scoring_blocks WHERE block BETWEEN @from AND @to ORDER BY block FOR UPDATE
