-- The demo sends at any hour: whoever watches it on a Sunday sees messages too.
UPDATE sending_policy SET window_days = '{1,2,3,4,5,6,7}', window_start = '00:00', window_end = '23:59:59'
