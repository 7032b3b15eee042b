-- What came of a campaign's steps, variant by variant.
SELECT
  step_number, variant, sent, delivered, clicked, replied, click_share, click_low, click_high, reply_share, reply_low, reply_high,
  reply_difference_low, reply_difference_high, reply_credible, click_difference_low, click_difference_high, click_credible
FROM v_campaign_variants
WHERE campaign_id = @id
ORDER BY step_number, variant
