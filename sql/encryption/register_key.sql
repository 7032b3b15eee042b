-- Notes a key before something is sealed with it; the check value of one that is there stays, and is then compared.
INSERT INTO encryption_keys (purpose, key_id, check_value) VALUES (@purpose, @key_id, @check_value::bytea)
ON CONFLICT (purpose, key_id) DO NOTHING
