import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificatePlan } from '#platform/certificate-plan';
import { dnsPlan } from '#platform/dns';
import { testDocument } from '../../../edge/access/testing/document.ts';

test('a domain of conferences among the SIP domains gets the records and names that partners ask for', () => {
  const document = testDocument();
  document.policy.sipDomains = ['example.com', 'conf.example.com'];
  document.policy.features.federation = true;
  const records = dnsPlan(document).outside.flatMap(({ records: own }) => own);
  const service = records.find(({ name }) => name === '_sipfederationtls._tcp.conf.example.com');
  assert.ok(service?.type === 'SRV');
  assert.equal(service.target, 'sip.conf.example.com');
  assert.ok(records.some(({ name, type }) => type === 'A' && name === 'sip.conf.example.com'));
  const [access] = certificatePlan(document).certificates;
  const required = access?.names.filter((name) => name.required).map(({ name }) => name);
  for (const name of ['conf.example.com', 'sip.conf.example.com']) assert.ok(required?.includes(name), name);
});
