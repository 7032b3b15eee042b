-- Whether anything may be sealed, and the keys it may be sealed with. No row: no.
SELECT s.mode, k.purpose, k.key_id, k.check_value
FROM encryption_state s
LEFT JOIN encryption_keys k ON true
