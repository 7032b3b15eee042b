-- They are columns now.
DELETE FROM adoption_findings WHERE rule = 'own_columns'
