-- Adds a read or a grant to the trail; changes write themselves. In the caller's transaction: what is not recorded is not done.
SELECT audit_event(@operation::text, @subject::text, @row_key::text, @lead_ext_id::text, @details::jsonb)
