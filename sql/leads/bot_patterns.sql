-- User agents of bots, most telling pattern first.
SELECT pattern, reason, event_type FROM bot_patterns ORDER BY length(pattern) DESC, pattern
