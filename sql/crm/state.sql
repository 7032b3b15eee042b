-- Whether this CRM is in use, so that changes have been listed ever since; a day less than the triggers list them.
SELECT used_at > now() - interval '29 days' AS in_use FROM crm_states WHERE crm = @crm
