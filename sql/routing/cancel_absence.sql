-- Takes an absence of a rep back.
DELETE FROM sales_rep_absences WHERE id = @id AND rep_email = lower(btrim(@rep::text))
