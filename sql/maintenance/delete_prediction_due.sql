-- Takes what nobody needs off the list of the locked blocks.
DELETE FROM deal_prediction_due d
USING deal_prediction_blocks b
WHERE b.block = ANY (@blocks::bigint[]) AND b.settings = '' AND d.pipeline_id BETWEEN b.block << 12 AND (b.block << 12) + 4095 AND d.due_at <= b.looked_at
