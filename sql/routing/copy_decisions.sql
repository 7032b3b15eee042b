-- Loads decisions, in the transaction of what they decided.
COPY routing_decisions (
  lead_id, run_id, value, probability, outcome, reason, class, silent_days, owned_days, chosen, owner, product, hops, value_known, place, candidates
) FROM STDIN (FORMAT BINARY)
