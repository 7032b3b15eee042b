-- Why an address is suppressed; no row: it is not.
SELECT channel, reason, suppressed_at, suppressed_by FROM suppressions WHERE address_hash = @hash
