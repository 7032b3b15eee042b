-- The key that persons are hashed with, once a database: whoever comes second finds it made.
INSERT INTO privacy_secret (inner_key, outer_key) VALUES (@inner::bytea, @outer::bytea) ON CONFLICT (singleton) DO NOTHING
