-- Switches a campaign; nothing where it is that way already.
UPDATE sales_campaigns SET enabled = @enabled, updated_at = @as_of WHERE id = @id AND enabled <> @enabled
