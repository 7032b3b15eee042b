-- Under the lock: the version of the rules in force by now, and how far a pass with these settings came in the block (null: not begun).
SELECT
  (SELECT version FROM scoring_rules WHERE active) AS active_version,
  (SELECT scored_through FROM scoring_blocks WHERE block = @block AND settings = @settings) AS scored_through
