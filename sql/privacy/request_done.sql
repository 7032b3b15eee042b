-- What was done, in rows by table.
UPDATE privacy_requests SET counts = @counts::jsonb, leads = @count::int WHERE id = @id::bigint
