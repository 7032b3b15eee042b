-- What was waiting to be sent when the backup was taken may have been sent since: in doubt until a person knows.
WITH held AS (
  UPDATE outbox_messages
  SET status = 'in_doubt', finished_at = clock_timestamp(), lease_token = NULL, lease_until = NULL,
      reason = 'restored from a backup: sent perhaps after it was taken'
  WHERE status IN ('pending', 'leased', 'sending')
  RETURNING 1
)
INSERT INTO restorations (backup, taken_at, key_epoch, messages_held)
SELECT @backup, @taken_at, @key_epoch, count(*) FROM held
RETURNING messages_held
