-- Before activating another version: only one is active at any time.
UPDATE scoring_rules SET active = false WHERE active AND version <> @version
