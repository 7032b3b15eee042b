-- An external model answers for deals of the block: a published one has to look at all of them again.
UPDATE deal_prediction_blocks SET settings = '', version = version + 1 WHERE block = @block
