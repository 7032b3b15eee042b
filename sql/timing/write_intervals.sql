-- Puts the intervals in place of those of the last analysis.
WITH learned AS (
  SELECT * FROM unnest(
    @segments::text[], @days::int[], @contacts::double precision[], @gains::double precision[], @lows::double precision[], @highs::double precision[],
    @credible::boolean[]) AS i (segment, interval_days, contacts, gain, gain_low, gain_high, credible)
), gone AS (
  DELETE FROM timing_intervals t WHERE NOT EXISTS (SELECT FROM learned i WHERE i.segment = t.segment)
)
INSERT INTO timing_intervals (segment, interval_days, contacts, gain, gain_low, gain_high, credible)
SELECT segment, interval_days, contacts, gain, gain_low, gain_high, credible FROM learned
ON CONFLICT (segment) DO UPDATE SET
  interval_days = excluded.interval_days, contacts = excluded.contacts, gain = excluded.gain, gain_low = excluded.gain_low,
  gain_high = excluded.gain_high, credible = excluded.credible
