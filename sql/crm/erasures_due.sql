-- How many records this CRM has to erase, those that another run works on left out.
SELECT count(*) FROM privacy_crm_erasures e
WHERE e.crm = @crm AND e.done_at IS NULL AND e.not_before <= clock_timestamp() AND coalesce(e.lease_until <= clock_timestamp(), true)
