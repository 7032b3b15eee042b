-- Where names resolve from here on, in this order; ends with the transaction.
SELECT set_config('search_path', (SELECT string_agg(quote_ident(p.name), ', ' ORDER BY p.place) FROM unnest(@schemas::text[]) WITH ORDINALITY AS p (name, place)) || ', pg_temp', true)
