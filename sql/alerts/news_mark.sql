-- Names the news of this moment: another set of news, or the same told another time, has another name.
SELECT md5(string_agg(a.id || '/' || a.times_told, ' ' ORDER BY a.id)) FROM alerts a WHERE a.to_tell AND a.status = 'open' AND a.ended_at IS NULL
