-- The alerts opened in the period, by kind, and how many of them people acknowledged or acted on until now.
SELECT
  kind, opened, critical, acknowledged, acted_on, useful, useful / opened::double precision AS useful_share,
  wilson_low(useful, opened) AS useful_low, wilson_high(useful, opened) AS useful_high, still_open, median_hours_to_action
FROM alert_usefulness(@from_at, @to_at)
ORDER BY opened DESC, kind
