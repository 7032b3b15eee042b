-- A new version from a document, not active yet. Column checks are the last line of defence: the document was validated before.
INSERT INTO scoring_rules
SELECT (jsonb_populate_record(
  NULL::scoring_rules,
  @document::jsonb || jsonb_build_object(
    'version', (SELECT coalesce(max(version), 0) + 1 FROM scoring_rules), 'active', false, 'created_at', now()))).*
RETURNING version
