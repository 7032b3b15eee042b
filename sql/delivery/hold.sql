-- Locks the messages about to leave, for mark.sql right after it: with the locks held, its snapshot shows every stop that was committed
-- before, and whoever changes these messages later finds them on the wire. (An UPDATE that waited for a lock would still judge by the
-- snapshot it began with.)
SELECT id
FROM outbox_messages
WHERE id = ANY (@ids) AND lease_token = @token AND status IN ('leased', 'sending')
ORDER BY id
FOR UPDATE
