-- A number for this run's staged rows.
INSERT INTO lead_imports (heartbeat_at) VALUES (@heartbeat_at) RETURNING id
