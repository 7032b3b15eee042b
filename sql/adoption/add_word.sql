-- A word of this installation's own (--word): what it means here, over what is known already.
INSERT INTO adoption_words (kind, word, meaning)
VALUES (@kind::text, adoption_fold(@word::text), @meaning::text)
ON CONFLICT (kind, word) DO UPDATE SET meaning = excluded.meaning
