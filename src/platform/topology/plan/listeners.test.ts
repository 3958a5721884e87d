import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEdgeDocument, parseInternalDocument } from '../document/document.ts';
import { edited, goodEdge, goodInternal } from '../testing/documents.ts';
import { virtualFiles } from '../testing/virtual-files.ts';
import { edgeListeners, internalListeners, type ListenerPlan } from './listeners.ts';

const options = { file: 'document.yaml', files: virtualFiles };

function edgePlan(text: string): ListenerPlan[] {
  const parsed = parseEdgeDocument(text, options);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return edgeListeners(parsed.value);
}

function internalPlan(text: string): ListenerPlan[] {
  const parsed = parseInternalDocument(text, options);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return internalListeners(parsed.value);
}

/** The ids that an edit takes away and those that it brings. */
function moved(before: ListenerPlan[], now: ListenerPlan[]): { gone: string[]; come: string[] } {
  const ids = (plan: ListenerPlan[]): string[] => plan.map(({ id }) => id);
  return {
    gone: ids(before).filter((id) => !ids(now).includes(id)),
    come: ids(now).filter((id) => !ids(before).includes(id)),
  };
}

interface Move {
  readonly title: string;
  readonly edit: readonly [string, string];
  readonly gone: readonly string[];
  readonly come: readonly string[];
}

const edgeMoves: readonly Move[] = [
  {
    title: '[setting host.addresses.access]',
    edit: ['access: [192.0.2.10]', 'access: [192.0.2.11]'],
    gone: ['ext-05:tcp:192.0.2.10:443'],
    come: ['ext-05:tcp:192.0.2.11:443'],
  },
  {
    title: '[setting host.addresses.av]',
    edit: ['av: [192.0.2.30]', 'av: [192.0.2.30, "2001:db8::30"]'],
    gone: [],
    come: ['ext-14:udp:[2001:db8::30]:3478', 'ext-15:tcp:[2001:db8::30]:443'],
  },
  {
    title: '[setting host.addresses.internal]',
    edit: ['internal: [10.45.16.10]', 'internal: [10.45.16.11]'],
    gone: [
      'int-02:tcp:10.45.16.10:5061',
      'int-05:tcp:10.45.16.10:5062',
      'int-06:udp:10.45.16.10:3478',
      'int-07:tcp:10.45.16.10:443',
    ],
    come: [
      'int-02:tcp:10.45.16.11:5061',
      'int-05:tcp:10.45.16.11:5062',
      'int-06:udp:10.45.16.11:3478',
      'int-07:tcp:10.45.16.11:443',
    ],
  },
  {
    title: '[setting policy.ports.accessClients]',
    edit: ['accessClients: 443', 'accessClients: 5061'],
    gone: ['ext-05:tcp:192.0.2.10:443'],
    come: ['ext-05:tcp:192.0.2.10:5061'],
  },
  {
    title: '[setting policy.ports.accessInternal]',
    edit: ['accessInternal: 5061', 'accessInternal: 5161'],
    gone: ['int-02:tcp:10.45.16.10:5061'],
    come: ['int-02:tcp:10.45.16.10:5161'],
  },
  {
    title: '[setting policy.ports.avUdp]',
    edit: ['avUdp: 3478', 'avUdp: 3479'],
    gone: ['ext-14:udp:192.0.2.30:3478', 'int-06:udp:10.45.16.10:3478'],
    come: ['ext-14:udp:192.0.2.30:3479', 'int-06:udp:10.45.16.10:3479'],
  },
  {
    title: '[setting policy.ports.avAuthentication]',
    edit: ['avAuthentication: 5062', 'avAuthentication: 5162'],
    gone: ['int-05:tcp:10.45.16.10:5062'],
    come: ['int-05:tcp:10.45.16.10:5162'],
  },
  {
    title: '[setting host.administration.metrics.address]',
    edit: ['address: 127.0.0.1', 'address: "::1"'],
    gone: ['more-01:tcp:127.0.0.1:9180'],
    come: ['more-01:tcp:[::1]:9180'],
  },
  {
    title: '[setting host.administration.metrics.port]',
    edit: ['port: 9180', 'port: 9999'],
    gone: ['more-01:tcp:127.0.0.1:9180'],
    come: ['more-01:tcp:127.0.0.1:9999'],
  },
];

for (const { title, edit, gone, come } of edgeMoves) {
  test(`the edge listens where the document says ${title}`, () => {
    assert.deepEqual(moved(edgePlan(goodEdge), edgePlan(edited(goodEdge, ...edit))), { gone, come });
  });
}

test('the front end listens where the document says [setting frontEnd.port]', () => {
  const now = internalPlan(edited(goodInternal, '  port: 5061', '  port: 5071'));
  assert.deepEqual(moved(internalPlan(goodInternal), now), {
    gone: ['int-03:tcp:10.45.32.11:5061'],
    come: ['int-03:tcp:10.45.32.11:5071'],
  });
});

test('an IPv6 address gives the same id however it is written', () => {
  const short = edgePlan(edited(goodEdge, '[192.0.2.30]', '["2001:db8::30"]'));
  const long = edgePlan(edited(goodEdge, '[192.0.2.30]', '["2001:0DB8:0:0:0:0:0:0030"]'));
  assert.deepEqual(short, long);
});

test('pages inside come to a port of their own, where there are any [setting frontEnd.webSocket.port]', () => {
  const on = edited(goodInternal, 'frontEnd:', 'frontEnd:\n  webSocket: { enabled: true }');
  assert.deepEqual(moved(internalPlan(goodInternal), internalPlan(on)), {
    gone: [],
    come: ['more-02:tcp:10.45.32.11:5063'],
  });
  const elsewhere = edited(on, 'enabled: true', 'enabled: true, port: 5443');
  assert.deepEqual(moved(internalPlan(on), internalPlan(elsewhere)), {
    gone: ['more-02:tcp:10.45.32.11:5063'],
    come: ['more-02:tcp:10.45.32.11:5443'],
  });
});
