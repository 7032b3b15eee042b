-- Puts a version in force; blocks scored with other rules become due by themselves (scoring_blocks.settings).
UPDATE scoring_rules SET active = true WHERE version = @version
