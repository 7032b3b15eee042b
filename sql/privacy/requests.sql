-- The latest requests with their receipts of the CRMs, in numbers.
SELECT
  r.id, r.kind, r.requested_at, r.requested_by, r.reason, r.leads, r.counts::text,
  (SELECT count(*) FROM privacy_crm_erasures c WHERE c.request_id = r.id AND c.done_at IS NULL) AS crm_open,
  (SELECT count(*) FROM privacy_crm_erasures c WHERE c.request_id = r.id AND c.done_at IS NOT NULL) AS crm_done,
  (SELECT count(*) FROM privacy_tombstones t WHERE t.request_id = r.id) AS tombstones
FROM privacy_requests r
WHERE (@id::bigint IS NULL OR r.id = @id::bigint)
  AND (@who::text IS NULL OR r.subject_hash IN (
    person_hash('ext_id', @who::text), person_hash('email', @email::text), person_hash('phone', @phone::text)))
ORDER BY r.id DESC
LIMIT @limit
