-- What was asked, without the person.
INSERT INTO privacy_requests (kind, subject_hash, reason, leads)
VALUES (@kind::text, person_hash(@subject_kind::text, @subject::text), @reason::text, @count::int)
RETURNING id
