-- What alerts would delete in all.
SELECT count(*) FROM alerts WHERE ended_at < @before_at
