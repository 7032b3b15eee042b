-- Files of reports and attachments that name the person; which, and not what else is in them.
SELECT jsonb_build_object('sha256', encode(t.sha256, 'hex'), 'content_type', t.content_type, 'stored_at', t.stored_at)::text
FROM stored_files t
WHERE EXISTS (SELECT FROM unnest(@words::text[]) AS w WHERE position(convert_to(w, 'UTF8') IN t.content) > 0)
ORDER BY t.stored_at, t.sha256
