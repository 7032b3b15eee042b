-- The leads of a run as it saw them, in their turn, with what its plan wanted. Leads that were erased since are missing.
SELECT
  d.lead_id, l.ext_id, d.owner, d.class, d.product, d.value, d.value_known, d.probability, d.silent_days, d.owned_days, d.hops, d.chosen
FROM routing_decisions d
JOIN leads l ON l.lead_id = d.lead_id
WHERE d.run_id = @run_id
ORDER BY d.place
