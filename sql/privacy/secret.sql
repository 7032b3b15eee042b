-- The key that persons are hashed with, once a database: whoever comes second finds it made. Without a target, which would need the
-- right to read the table.
INSERT INTO privacy_secret (inner_key, outer_key) VALUES (@inner::bytea, @outer::bytea) ON CONFLICT DO NOTHING
