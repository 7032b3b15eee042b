-- Takes the blocks @from to @to, in order, so that two runs take turns and never deadlock; tells how far a pass with these settings came.
SELECT block, CASE WHEN settings = @settings THEN scored_through ELSE (block::bigint << 15) - 1 END AS scored_through
FROM scoring_blocks
WHERE block BETWEEN @from AND @to
ORDER BY block
FOR UPDATE
