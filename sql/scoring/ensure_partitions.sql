-- This month's and next month's partition of the history, so that no row falls into the default partition.
SELECT ensure_lead_scores_partition(@as_of), ensure_lead_scores_partition(@as_of + interval '1 month')
