-- The person may be stored again, under all that it was known by: what one erasure buried rises together, and with it the suppressions that
-- the erasure had set. An opt-out, a bounce or a complaint stays.
WITH meant AS (
  SELECT DISTINCT t.request_id FROM privacy_tombstones t
  WHERE t.person_hash IN (person_hash('ext_id', @who::text), person_hash('email', @email::text), person_hash('phone', @phone::text))
), risen AS (
  DELETE FROM privacy_tombstones t USING meant m WHERE t.request_id = m.request_id RETURNING t.address_hashes
), lifted AS (
  DELETE FROM suppressions s USING risen r WHERE s.address_hash = ANY (r.address_hashes) AND s.reason = 'erasure' RETURNING 1
)
SELECT (SELECT count(*) FROM risen) AS tombstones, (SELECT count(*) FROM lifted) AS suppressions
