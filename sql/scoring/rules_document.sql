-- One version of the rules (@version, null: the active one) as a document: every column, and the points of source words.
SELECT (to_jsonb(r) || jsonb_build_object('sources', coalesce(
  (SELECT jsonb_object_agg(w.word, w.points) FROM scoring_rule_source_words w WHERE w.version = r.version), '{}')))::text
FROM scoring_rules r
WHERE CASE WHEN @version::int IS NULL THEN r.active ELSE r.version = @version::int END
