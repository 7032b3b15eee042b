-- Records of CRMs that were read and not yet merged, and whose number is sealed; emptied by every merge.
SELECT t.crm, t.object, t.crm_id, t.properties ->> 'phone' FROM crm_staged t WHERE t.properties ->> 'phone' LIKE 'sealed:1:%'
