-- A row for every block that has leads and is not known yet.
INSERT INTO scoring_blocks (block)
SELECT b FROM generate_series(0, (SELECT coalesce(max(lead_id), -1) >> 15 FROM leads)) AS b
ON CONFLICT (block) DO NOTHING
