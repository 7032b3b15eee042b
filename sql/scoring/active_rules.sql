-- The version of the rules in force.
SELECT version FROM scoring_rules WHERE active
