-- One training at a time publishes; readers are not held up.
LOCK TABLE ml_models IN SHARE ROW EXCLUSIVE MODE
