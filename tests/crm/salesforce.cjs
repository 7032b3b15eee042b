// A conversation of jsforce with the stand-in: node salesforce.cjs ADDRESS CLIENT_ID CLIENT_SECRET. Prints one line when everything was as it should be.
const assert = require('node:assert');
const { Connection, OAuth2 } = require('jsforce');

const [, , loginUrl, clientId, clientSecret] = process.argv;

async function fails(call, code) {
  const error = await call().then(() => assert.fail('it went through'), (e) => e);
  assert.strictEqual(error.errorCode, code, `${error.message}`);
}

async function signIn() {
  const oauth2 = new OAuth2({ loginUrl, clientId, clientSecret });
  const { access_token, instance_url, id } = await oauth2.requestToken({ grant_type: 'client_credentials' });
  assert.match(id, /\/id\/00D\w{15}\/005\w{15}$/);
  return { accessToken: access_token, instanceUrl: instance_url };
}

async function main() {
  const wrong = new OAuth2({ loginUrl, clientId, clientSecret: 'wrong' });
  assert.strictEqual((await wrong.requestToken({ grant_type: 'client_credentials' }).catch((e) => e)).name, 'invalid_client');

  const conn = new Connection({ ...(await signIn()), version: '60.0', maxRequest: 1 });
  const contacts = conn.sobject('Contact');
  const described = await contacts.describe();
  const key = described.fields.find((f) => f.name === 'SalesTasks_Lead_Id__c');
  assert.ok(key.externalId && key.unique && key.createable);
  assert.ok(!described.fields.find((f) => f.name === 'LastName').nillable);
  const stages = (await conn.sobject('Opportunity').describe()).fields.find((f) => f.name === 'StageName').picklistValues;
  assert.ok(stages.some((s) => s.value === 'Closed Won' && s.active));

  // Upsert by external id: created, then changed.
  const ana = { SalesTasks_Lead_Id__c: 'lead-1', LastName: 'Gil', Email: 'ana@acme.example' };
  const first = await contacts.upsert(ana, 'SalesTasks_Lead_Id__c');
  assert.ok(first.success && first.created);
  const again = await contacts.upsert({ ...ana, FirstName: 'Eva' }, 'SalesTasks_Lead_Id__c');
  assert.ok(again.success && !again.created);
  assert.strictEqual(again.id, first.id);

  // Collections: an outcome for each, in order; all or none where that is asked for.
  const upsert = (records, allOrNone = false) => conn.requestPatch(
    `/services/data/v60.0/composite/sobjects/Contact/SalesTasks_Lead_Id__c`,
    { allOrNone, records: records.map((r) => ({ attributes: { type: 'Contact' }, ...r })) });
  const mixed = await upsert([
    { SalesTasks_Lead_Id__c: 'lead-1', FirstName: 'Ana' },
    { SalesTasks_Lead_Id__c: 'lead-2', FirstName: 'nameless' },
    { SalesTasks_Lead_Id__c: 'lead-3', LastName: 'Paz', Email: 'no address' },
    { SalesTasks_Lead_Id__c: 'lead-4', LastName: 'x'.repeat(81) },
    { SalesTasks_Lead_Id__c: 'lead-5', LastName: 'Ruiz', Tier__c: 'Z' },
    { SalesTasks_Lead_Id__c: 'lead-6', LastName: 'Sanz', SalesTasks_Score__c: 12.5 },
  ]);
  assert.deepStrictEqual(mixed.map((m) => m.success), [true, false, false, false, false, true]);
  assert.deepStrictEqual(mixed.map((m) => m.created), [false, false, false, false, false, true]);
  assert.deepStrictEqual(mixed.slice(1, 5).map((m) => m.errors[0].statusCode), [
    'REQUIRED_FIELD_MISSING', 'INVALID_EMAIL_ADDRESS', 'STRING_TOO_LONG', 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST']);
  const none = await upsert([{ SalesTasks_Lead_Id__c: 'lead-7', LastName: 'Soto' }, { SalesTasks_Lead_Id__c: 'lead-8' }], true);
  assert.ok(none.every((n) => !n.success));
  await fails(() => upsert([{ SalesTasks_Lead_Id__c: 'lead-9', LastName: 'x', Nonsense__c: '1' }]), 'INVALID_FIELD');
  await fails(() => upsert(Array.from({ length: 201 }, (_, i) => ({ SalesTasks_Lead_Id__c: `m${i}`, LastName: 'x' }))), 'LIMIT_EXCEEDED');

  const created = await contacts.create([{ LastName: 'One' }, { LastName: 'Two', SalesTasks_Lead_Id__c: 'lead-1' }]);
  assert.deepStrictEqual(created.map((c) => c.success), [true, false]);
  assert.strictEqual(created[1].errors[0].statusCode, 'DUPLICATE_VALUE');
  const changed = await contacts.update([{ Id: created[0].id, Phone: '+34 1' }, { Id: '003000000009999AAA', Phone: '1' }]);
  assert.deepStrictEqual([changed[0].success, changed[1].errors[0].statusCode], [true, 'ENTITY_IS_DELETED']);
  assert.strictEqual((await contacts.retrieve(created[0].id)).Phone, '+34 1');

  // An opportunity with its contact.
  const deal = await conn.sobject('Opportunity').create({ Name: 'Deal', StageName: 'Qualification', CloseDate: '2030-01-31', Amount: 12.5 });
  await fails(() => conn.sobject('Opportunity').create({ Name: 'Deal' }), 'REQUIRED_FIELD_MISSING');
  await conn.sobject('OpportunityContactRole').create({ OpportunityId: deal.id, ContactId: first.id, IsPrimary: true });
  const roles = await conn.query(`SELECT ContactId FROM OpportunityContactRole WHERE OpportunityId IN ('${deal.id}')`);
  assert.strictEqual(roles.records[0].ContactId, first.id);

  // Queries: conditions, order, more than one page, deleted ones too.
  const many = Array.from({ length: 4100 }, (_, i) => ({ LastName: `Page ${i}`, Email: `page${i}@acme.example` }));
  assert.ok((await contacts.create(many, { allowRecursive: true })).every((c) => c.success));
  const found = await conn.query("SELECT Id, LastName, SystemModstamp FROM Contact WHERE LastName > 'Page' AND (Email != null OR Phone = 'O\\'Brien') ORDER BY SystemModstamp, Id");
  assert.deepStrictEqual([found.totalSize, found.records.length, found.done], [4100, 2000, false]);
  const more = await conn.queryMore(found.nextRecordsUrl);
  const last = await conn.queryMore(more.nextRecordsUrl);
  assert.deepStrictEqual([more.records.length, last.records.length, last.done], [2000, 100, true]);
  assert.strictEqual(new Set([...found.records, ...more.records, ...last.records].map((r) => r.Id)).size, 4100);
  assert.strictEqual((await conn.query('SELECT count() FROM Contact LIMIT 10')).totalSize, 10);
  await fails(() => conn.query('SELECT Id, Nonsense__c FROM Contact'), 'INVALID_FIELD');
  await fails(() => conn.query('SELECT Id FROM Contact WHERE'), 'MALFORMED_QUERY');
  const packed = await conn.requestPost('/services/data/v60.0/composite', {
    compositeRequest: [{ method: 'GET', url: `/services/data/v60.0/query?q=${encodeURIComponent("SELECT Id FROM Contact WHERE Email IN ('ana@acme.example')")}`, referenceId: 'a' }],
  });
  assert.strictEqual(packed.compositeResponse[0].body.records[0].Id, first.id);

  // Deleted: gone, in the recycle bin, then not even there.
  const [bin] = await contacts.destroy([created[0].id]);
  assert.ok(bin.success);
  assert.strictEqual((await contacts.destroy([created[0].id]))[0].errors[0].statusCode, 'ENTITY_IS_DELETED');
  const all = (id) => conn.query(`SELECT Id, IsDeleted, MasterRecordId FROM Contact WHERE Id = '${id}'`, { scanAll: true });
  assert.strictEqual((await all(created[0].id)).records[0].IsDeleted, true);
  const [start, end] = [new Date(Date.now() - 3600000), new Date(Date.now() + 3600000)];
  assert.ok((await contacts.deleted(start, end)).deletedRecords.some((d) => d.id === created[0].id));
  assert.ok((await contacts.updated(start, end)).ids.includes(first.id));
  const purged = await conn.soap.emptyRecycleBin([created[0].id, first.id]);
  assert.deepStrictEqual(purged.map((p) => p.success), [true, false]);
  assert.strictEqual((await all(created[0].id)).totalSize, 0);

  // Merged: the loser leads to the winner.
  const merged = await conn.soap.merge({ masterRecord: { type: 'Contact', Id: first.id }, recordToMergeIds: [mixed[5].id] });
  assert.ok(merged.success);
  assert.strictEqual((await all(mixed[5].id)).records[0].MasterRecordId, first.id);

  // Limits, and a session that is over.
  assert.ok((await conn.limits()).DailyApiRequests.Remaining > 0);
  assert.ok(conn.limitInfo.apiUsage.used > 0 && conn.limitInfo.apiUsage.limit > conn.limitInfo.apiUsage.used);
  await fails(() => new Connection({ instanceUrl: conn.instanceUrl, accessToken: 'over', version: '60.0' }).query('SELECT Id FROM Contact'), 'INVALID_SESSION_ID');
  let renewed = 0;
  const renewing = new Connection({
    instanceUrl: conn.instanceUrl, accessToken: 'over', version: '60.0',
    refreshFn: (_, done) => { renewed++; signIn().then((s) => done(null, s.accessToken), done); },
  });
  assert.strictEqual((await renewing.query(`SELECT Id FROM Contact WHERE Id = '${first.id}'`)).totalSize, 1);
  assert.strictEqual(renewed, 1);
  console.log('as it should be');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
