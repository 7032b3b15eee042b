-- The source words of a new version.
INSERT INTO scoring_rule_source_words (version, word, points)
SELECT @version, key, value::smallint FROM jsonb_each_text(@sources::jsonb)
