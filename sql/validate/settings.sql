-- Rows without which jobs stop: one scoring rule set in force with its default, one sending policy.
SELECT
  'error' AS severity, 'scoring_rules' AS subject,
  'no version of the scoring rules is in force' AS detail, 'ninguna versión de las reglas de puntuación está en vigor' AS detail_es,
  'sales-tasks scoring rules edit --activate 1' AS fix
WHERE NOT EXISTS (SELECT FROM scoring_rules WHERE active)
UNION ALL
SELECT
  'error', 'sending_policy', 'the sending policy is missing', 'falta la política de envío', 'INSERT INTO sending_policy DEFAULT VALUES'
WHERE NOT EXISTS (SELECT FROM sending_policy)
