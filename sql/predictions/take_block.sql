-- Takes the block for what was read of it at @version; no row where another run has written since. Settings are those with which all of its deals are
-- looked at now; none where a run has worked at a later instant already, because what counts between is off the list.
UPDATE deal_prediction_blocks
SET
  version = version + 1, deals = @deals, settings = CASE WHEN looked_at <= @as_of THEN @settings ELSE '' END, looked_at = greatest(looked_at, @as_of)
WHERE block = @block AND version = @version::bigint
