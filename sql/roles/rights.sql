-- What the connection's own role may do about roles.
SELECT a.rolsuper OR a.rolcreaterole AS creates_roles FROM pg_roles a WHERE a.rolname = current_user
