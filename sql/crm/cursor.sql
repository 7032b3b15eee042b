-- How far a feed was read.
SELECT window_from, window_to, page FROM crm_cursors WHERE crm = @crm AND object = @object AND feed = @feed
