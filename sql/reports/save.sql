-- A new version of a report with its files. A builder that lost the race for this version fails to serialize here, sees the other's on its
-- new snapshot, and writes nothing where the data are the same.
WITH report AS (
  INSERT INTO reports (report_type, period, period_start, period_end, language, version, sha256, summary)
  VALUES (@type, @period, @from_at, @to_at, @language, @version, @sha256::bytea, @summary::jsonb)
  ON CONFLICT (report_type, period_start, language, version) DO NOTHING
  RETURNING id
)
INSERT INTO report_files (report_id, name, sha256)
SELECT r.id, f.name, f.sha256
FROM report r, unnest(@names::text[], @hashes::bytea[]) AS f (name, sha256)
