-- The last lead of the next @limit leads from @first to @last; null when there are fewer, so that the range ends at @last.
SELECT lead_id FROM leads WHERE lead_id BETWEEN @first AND @last ORDER BY lead_id OFFSET @limit - 1 LIMIT 1
