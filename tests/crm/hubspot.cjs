// A conversation of HubSpot's own client with the stand-in: node hubspot.cjs ADDRESS TOKEN. Prints one line when everything was as it should be.
const assert = require('node:assert');
const { Client } = require('@hubspot/api-client');

const [, , basePath, accessToken] = process.argv;
const hubspot = new Client({ basePath, accessToken, numberOfApiCallRetries: 0 });

async function fails(call, code, category) {
  const error = await call().then(() => assert.fail('it went through'), (e) => e);
  assert.strictEqual(error.code, code, `${error.message}`);
  const body = typeof error.body === 'string' ? JSON.parse(error.body) : error.body;
  assert.strictEqual(body.category, category);
}

async function main() {
  const contacts = hubspot.crm.contacts;
  const properties = await hubspot.crm.properties.coreApi.getAll('contacts');
  assert.ok(properties.results.some((p) => p.name === 'salestasks_lead_id' && p.hasUniqueValue));
  const pipelines = await hubspot.crm.pipelines.pipelinesApi.getAll('deals');
  assert.ok(pipelines.results[0].stages.some((s) => s.id === 'closedwon'));
  const owners = await hubspot.crm.owners.ownersApi.getPage();
  assert.strictEqual(owners.results[0].email, 'rep@sales.example');

  // Upsert by a unique property: created, then changed.
  const ana = { id: 'lead-1', idProperty: 'salestasks_lead_id', properties: { email: 'Ana@Acme.Example', firstname: 'Ana' } };
  const first = await contacts.batchApi.upsert({ inputs: [ana] });
  assert.strictEqual(first.results[0]._new, true);
  const again = await contacts.batchApi.upsert({ inputs: [{ ...ana, properties: { firstname: 'Eva' } }] });
  assert.strictEqual(again.results[0]._new, false);
  assert.strictEqual(again.results[0].id, first.results[0].id);
  const anaId = first.results[0].id;

  // Read by id and by a unique property; what is missing is told beside it.
  const read = await contacts.batchApi.read({
    inputs: [{ id: 'ana@acme.example' }, { id: 'nobody@acme.example' }], idProperty: 'email', properties: ['firstname'], propertiesWithHistory: [],
  });
  assert.strictEqual(read.results.length, 1);
  assert.strictEqual(read.results[0].properties.firstname, 'Eva');

  // One bad record of two: multi-status with trace ids, all or nothing without.
  const two = [
    { id: 'lead-2', idProperty: 'salestasks_lead_id', properties: { email: 'luis@acme.example' }, objectWriteTraceId: 'a' },
    { id: 'lead-3', idProperty: 'salestasks_lead_id', properties: { email: 'no address' }, objectWriteTraceId: 'b' },
  ];
  const partly = await contacts.batchApi.upsert({ inputs: two });
  assert.strictEqual(partly.numErrors, 1);
  assert.deepStrictEqual(partly.errors[0].context.objectWriteTraceId, ['b']);
  await fails(() => contacts.batchApi.upsert({ inputs: two.map(({ objectWriteTraceId, ...rest }) => rest) }), 400, 'VALIDATION_ERROR');
  await fails(() => contacts.basicApi.create({ properties: { email: 'ana@acme.example' }, associations: [] }), 409, 'CONFLICT');
  await fails(() => contacts.basicApi.create({ properties: { nonsense: '1' }, associations: [] }), 400, 'VALIDATION_ERROR');
  const many = Array.from({ length: 101 }, (_, i) => ({ id: `many-${i}`, idProperty: 'salestasks_lead_id', properties: {} }));
  await fails(() => contacts.batchApi.upsert({ inputs: many }), 400, 'VALIDATION_ERROR');

  // Deals, attached to a contact.
  const deal = await hubspot.crm.deals.basicApi.create({
    properties: { dealname: 'Deal', pipeline: 'default', dealstage: 'qualifiedtobuy', amount: '12.5' }, associations: [],
  });
  await fails(() => hubspot.crm.deals.basicApi.update(deal.id, { properties: { dealstage: 'no stage' } }), 400, 'VALIDATION_ERROR');
  await hubspot.crm.associations.v4.batchApi.createDefault('deals', 'contacts', { inputs: [{ _from: { id: deal.id }, to: { id: anaId } }] });
  const associations = await hubspot.crm.associations.v4.batchApi.getPage('deals', 'contacts', { inputs: [{ id: deal.id }] });
  assert.strictEqual(String(associations.results[0].to[0].toObjectId), anaId);

  // Search within a window, by id.
  const found = await contacts.searchApi.doSearch({
    filterGroups: [{
      filters: [
        { propertyName: 'lastmodifieddate', operator: 'BETWEEN', value: '0', highValue: String(Date.now() + 1000) },
        { propertyName: 'hs_object_id', operator: 'GT', value: anaId },
      ],
    }],
    sorts: ['hs_object_id'], properties: ['email'], limit: 10, after: 0,
  });
  assert.strictEqual(found.total, 1);
  assert.strictEqual(found.results[0].properties.email, 'luis@acme.example');
  const luisId = found.results[0].id;

  // Merged: the old id leads to the winner. Archived: gone, and listed among the archived.
  await hubspot.crm.contacts.basicApi.merge({ primaryObjectId: anaId, objectIdToMerge: luisId });
  const merged = await contacts.basicApi.getById(luisId, ['hs_merged_object_ids']);
  assert.strictEqual(merged.id, anaId);
  assert.strictEqual(merged.properties.hs_merged_object_ids, luisId);
  await contacts.batchApi.archive({ inputs: [{ id: anaId }] });
  await fails(() => contacts.basicApi.getById(anaId), 404, 'OBJECT_NOT_FOUND');
  const archived = await contacts.basicApi.getPage(100, undefined, undefined, undefined, undefined, true);
  assert.ok(archived.results.some((r) => r.id === anaId && r.archivedAt));

  await fails(() => new Client({ basePath, accessToken: 'wrong', numberOfApiCallRetries: 0 }).crm.contacts.basicApi.getPage(), 401, 'EXPIRED_AUTHENTICATION');
  console.log('as it should be');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
