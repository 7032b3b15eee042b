-- Takes the next @slots slots of a connection that allows @rate messages a second, over all dispatchers. Seconds until the first of them.
INSERT INTO delivery_connections AS c (connection_id, next_slot_at)
VALUES (@connection, clock_timestamp() + @slots / @rate::double precision * interval '1 second')
ON CONFLICT (connection_id) DO UPDATE
SET next_slot_at = greatest(c.next_slot_at, clock_timestamp()) + @slots / @rate::double precision * interval '1 second', updated_at = clock_timestamp()
RETURNING greatest(extract(epoch FROM c.next_slot_at - clock_timestamp()) - @slots / @rate::double precision, 0)::double precision AS seconds
