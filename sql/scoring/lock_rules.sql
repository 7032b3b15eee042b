-- One editor at a time; readers are not held up.
LOCK TABLE scoring_rules IN SHARE ROW EXCLUSIVE MODE
