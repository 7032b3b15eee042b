-- What these alerts are; locked, so that what is decided by it holds.
SELECT id, status, ended_at IS NOT NULL FROM alerts WHERE id = ANY (@ids) ORDER BY id FOR NO KEY UPDATE
