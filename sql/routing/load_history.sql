-- How the deals closed since @since_at ended, by owner, product and region: what win rates are learned from. The product of a lead is what it
-- asked about, else its industry; the region falls back to the country.
SELECT
  p.assigned_to,
  coalesce(nullif(lower(btrim(l.product_interest)), ''), lower(btrim(l.industry)), '') AS product,
  coalesce(nullif(lower(btrim(l.region)), ''), lower(btrim(l.country)), '') AS region,
  count(*)::int AS deals,
  (count(*) FILTER (WHERE p.stage = 'closed_won'))::int AS won
FROM sales_pipeline p
JOIN leads l ON l.ext_id = p.lead_ext_id
WHERE p.closed_at > @since_at AND p.closed_at <= @as_of AND p.assigned_to IS NOT NULL
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
