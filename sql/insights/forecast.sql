-- What the next months are expected to bring, with the interval around it.
SELECT
  to_char(forecast_month, 'YYYY-MM') AS forecast_month, total_deals, total_pipeline_value, weighted_forecast, weighted_forecast_low, weighted_forecast_high
FROM v_sales_forecast
ORDER BY v_sales_forecast.forecast_month
LIMIT 6
