-- The first reason stays: an opt-out is not overwritten by a later bounce.
INSERT INTO suppressions (address_hash, channel, reason, suppressed_by)
VALUES (@hash, @channel, @reason, @actor)
ON CONFLICT (address_hash) DO NOTHING
