SELECT channel, reason, suppressed_at, suppressed_by FROM suppressions WHERE address_hash = @hash
