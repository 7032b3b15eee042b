-- What the sample's makers know and nobody else: for comparison with what scoring, predictions, routing and timing find out. No job reads
-- it, and it is no part of the product's schema.
--   segment: the industry, or private. best_weekday (ISO), best_hour (0-23): when the lead answers best, by its own clock.
--   win_probability: seen from qualification; for leads that are not in the pipeline, with an average rep at a usual speed.
--   current_win_probability, current_days_to_close: of open deals, at the sample's present.
--   expected_days_to_close: from qualification to won or lost.
--   rep_effect: what the assigned rep adds to the log-odds; null where nobody is assigned.
--   welcome_arm, proposal_arm: treatment or control in the two campaign experiments; null where the lead took no part.
--   interest, noise: standard normal, recorded nowhere else.
CREATE TABLE demo_truth (
  lead_ext_id varchar(128) PRIMARY KEY REFERENCES leads (ext_id) ON UPDATE CASCADE ON DELETE CASCADE,
  segment varchar(64) NOT NULL,
  best_weekday smallint NOT NULL,
  best_hour smallint NOT NULL,
  win_probability double precision NOT NULL,
  current_win_probability double precision,
  expected_days_to_close double precision NOT NULL,
  current_days_to_close double precision,
  rep_effect double precision,
  welcome_arm varchar(16),
  proposal_arm varchar(16),
  interest double precision NOT NULL,
  noise double precision NOT NULL
)
