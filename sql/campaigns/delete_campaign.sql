-- Deletes a campaign with all that belongs to it: executions, events, messages.
DELETE FROM sales_campaigns WHERE id = @id
