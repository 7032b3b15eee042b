-- Remembers how far the pass with these settings came in the block.
UPDATE scoring_blocks SET settings = @settings, scored_through = @through WHERE block = @block
