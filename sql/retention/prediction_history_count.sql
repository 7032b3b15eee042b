-- What prediction_history would delete in all.
SELECT count(*) FROM deal_prediction_history WHERE predicted_at < @before_at
