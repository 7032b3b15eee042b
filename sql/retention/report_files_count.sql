-- What report_files would delete in all.
SELECT count(*)
FROM stored_files f
WHERE f.stored_at < @before_at
  AND NOT EXISTS (SELECT FROM report_files r WHERE r.sha256 = f.sha256)
  AND NOT EXISTS (
    SELECT FROM outbox_messages m
    WHERE m.payload ? 'attachments' AND strpos(m.payload ->> 'attachments', encode(f.sha256, 'hex')) > 0)
