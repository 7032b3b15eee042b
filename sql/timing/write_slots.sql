-- What is believed about each hour of the week. @draws: eight a slot, one after the other.
INSERT INTO timing_slots (segment, channel, weekday, hour, leads, rate, rate_low, rate_high, credible, draws)
SELECT
  s.segment, s.channel, s.weekday, s.hour, s.leads, s.rate, s.rate_low, s.rate_high, s.credible, (@draws::real[])[s.n * 8 - 7 : s.n * 8]
FROM unnest(
  @segments::text[], @channels::text[], @weekdays::int[], @hours::int[], @leads::double precision[], @rates::double precision[], @lows::double precision[],
  @highs::double precision[], @credible::boolean[]
) WITH ORDINALITY AS s (segment, channel, weekday, hour, leads, rate, rate_low, rate_high, credible, n)
