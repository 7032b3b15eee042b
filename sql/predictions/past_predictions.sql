-- Past predictions of win probability against what happened: the last of each deal that was made in the 90 days before @days ago, by then
-- published models. So long ago that nearly all of the deals have ended; of younger predictions only the quick outcomes are known, and wins are quicker.
WITH graded AS (
  SELECT DISTINCT ON (h.pipeline_id) h.probability::double precision AS said, (p.stage = 'closed_won')::int AS won
  FROM deal_prediction_history AS h
  JOIN sales_pipeline AS p ON p.id = h.pipeline_id
  WHERE h.answered_by = 'model'
    AND h.predicted_at > @as_of::timestamptz - make_interval(days => @days::int + 90) AND h.predicted_at <= @as_of::timestamptz - make_interval(days => @days::int)
    AND p.closed_at > h.predicted_at AND p.closed_at <= @as_of
  ORDER BY h.pipeline_id, h.predicted_at DESC
), bins AS (
  SELECT least(floor(said * 10), 9) AS bin, count(*) AS deals, sum(said) AS said, sum(won) AS won
  FROM graded
  GROUP BY 1
)
SELECT coalesce(sum(deals), 0)::int, sum(abs(said - won)) / sum(deals), sum(said) / sum(deals), sum(won)::double precision / sum(deals)
FROM bins
