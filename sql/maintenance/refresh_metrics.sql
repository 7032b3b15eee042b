-- The daily metrics anew, with their owner's rights; readers go on with the old rows meanwhile.
SELECT refresh_sales_metrics()
