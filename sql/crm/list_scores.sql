-- Lists the leads whose score changed, from the history: it has no trigger that every scoring pass would pay for. Ten minutes are read
-- again, for passes that committed late.
WITH state AS (
  SELECT scores_read_to FROM crm_states WHERE crm = @crm
), moved AS (
  UPDATE crm_states SET scores_read_to = @as_of WHERE crm = @crm
)
INSERT INTO crm_changes (crm, lead_ext_id, changed_at)
SELECT @crm, l.ext_id, max(h.calculated_at)
FROM state, lead_scores h
JOIN leads l ON l.lead_id = h.lead_id
WHERE h.calculated_at > state.scores_read_to - interval '10 minutes'
GROUP BY l.ext_id
