-- Nobody refers to old ids any more.
TRUNCATE adoption_rows
