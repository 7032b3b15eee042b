-- Objects outside the old schema that would go with it: views, keys and columns that somebody made on the old tables since.
SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0)
FROM pg_depend d
JOIN pg_class o ON d.refclassid = 'pg_class'::regclass AND o.oid = d.refobjid AND o.relnamespace = to_regnamespace(quote_ident(@old_schema::text))
LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_class v ON v.oid = r.ev_class
LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
LEFT JOIN pg_class t ON t.oid = k.conrelid
WHERE d.deptype = 'n' AND coalesce(v.relnamespace, t.relnamespace) <> o.relnamespace
UNION
SELECT pg_describe_object('pg_class'::regclass, a.attrelid, a.attnum)
FROM pg_type y
JOIN pg_attribute a ON a.atttypid = y.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_class c ON c.oid = a.attrelid
WHERE y.typnamespace = to_regnamespace(quote_ident(@old_schema)) AND c.relnamespace <> y.typnamespace
ORDER BY 1
