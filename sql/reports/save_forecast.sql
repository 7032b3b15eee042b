-- Keeps a forecast as it is made, unless the last one made for its period says the same: one in the other language, or of the same data.
INSERT INTO report_forecasts (report_type, period_start, period_end, made_at, expected, low, high, expected_wins, open_deals, open_value)
SELECT @type::varchar, @to_at, @next_at, @as_of, @expected, @low, @high, @wins, @deals, @value
WHERE (@expected::numeric, @low::numeric, @high::numeric, @wins::numeric, @deals::bigint, @value::numeric) IS DISTINCT FROM (
  SELECT (f.expected, f.low, f.high, f.expected_wins, f.open_deals, f.open_value)
  FROM (
    SELECT * FROM report_forecasts WHERE report_type = @type::varchar AND period_start = @to_at ORDER BY made_at DESC LIMIT 1
  ) AS f
)
ON CONFLICT (report_type, period_start, made_at) DO NOTHING
