-- A backup that was restored and found equal. The instant makes sure that it is of this database.
UPDATE backups SET verified_at = clock_timestamp() WHERE name = @name AND taken_at = @taken_at
