-- When a person was erased that is named by this; null: never.
SELECT max(t.erased_at) FROM privacy_tombstones t
WHERE t.person_hash IN (person_hash('ext_id', @who::text), person_hash('email', @email::text), person_hash('phone', @phone::text))
