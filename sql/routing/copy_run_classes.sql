-- Loads the classes of leads of a run, with how many reps each rule kept from them.
COPY routing_run_classes (
  run_id, class, language, region, country, eligible, inactive, absent, wrong_language, wrong_region, "full"
) FROM STDIN (FORMAT BINARY)
