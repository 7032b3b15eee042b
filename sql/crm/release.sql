-- Gives back what a run that ends early had claimed; what was on its way stays in doubt.
UPDATE crm_links SET lease_token = NULL, lease_until = NULL WHERE lease_token = @token::uuid AND id = ANY (@ids::bigint[])
