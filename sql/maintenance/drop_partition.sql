-- Drops a month of the score history, with the owner's rights; false where another run has dropped it meanwhile.
SELECT drop_lead_scores_partition(@name::text)
