-- Contacts by segment and days since the one before.
SELECT segment, days, contacts, answered, expected FROM timing_gaps ORDER BY segment, days
