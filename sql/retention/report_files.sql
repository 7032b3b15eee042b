-- A chunk of files that no report has any more and no message still carries. Of the age of the retention, so that a file whose report is being
-- written this moment is not among them.
WITH old AS (
  SELECT f.sha256
  FROM stored_files f
  WHERE f.stored_at < @before_at
    AND NOT EXISTS (SELECT FROM report_files r WHERE r.sha256 = f.sha256)
    AND NOT EXISTS (
      SELECT FROM outbox_messages m
      WHERE m.payload ? 'attachments' AND strpos(m.payload ->> 'attachments', encode(f.sha256, 'hex')) > 0)
  ORDER BY f.sha256
  LIMIT @limit::bigint
  FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM stored_files f USING old WHERE f.sha256 = old.sha256 RETURNING 1
)
SELECT count(*) FROM gone
