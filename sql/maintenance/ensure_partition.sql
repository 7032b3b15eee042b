-- Makes the month's partition and moves the rows there that wait in the default partition; false where another run has made it meanwhile.
SELECT ensure_lead_scores_partition(@month_at)
