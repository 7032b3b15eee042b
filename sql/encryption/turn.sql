-- Switches between sealing and putting back.
INSERT INTO encryption_state (mode) VALUES (@mode)
ON CONFLICT (singleton) DO UPDATE SET mode = excluded.mode, since = now() WHERE encryption_state.mode <> excluded.mode
