-- Puts the profiles in place of those of the last analysis; segments that are gone go with them.
WITH profile AS (
  SELECT * FROM unnest(@segments::text[], @channels::text[], @leads::double precision[], @answered::double precision[], @rates::double precision[], @credible::boolean[])
    AS p (segment, channel, leads, answered, plain_rate, credible)
), gone AS (
  DELETE FROM timing_profiles t WHERE NOT EXISTS (SELECT FROM profile p WHERE (p.segment, p.channel) = (t.segment, t.channel))
)
INSERT INTO timing_profiles (segment, channel, leads, answered, plain_rate, credible)
SELECT segment, channel, leads, answered, plain_rate, credible FROM profile
ON CONFLICT (segment, channel) DO UPDATE SET
  leads = excluded.leads, answered = excluded.answered, plain_rate = excluded.plain_rate, credible = excluded.credible
