import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BindingReach, BindingStore } from './binding.ts';
import { Directory } from './directory.ts';
import { Registrar, type RegistrarAnswer } from './registrar.ts';
import { type RequestSketch, request } from './testing/messages.ts';

const settings = {
  minExpiresSeconds: 60,
  maxExpiresSeconds: 7200,
  defaultExpiresSeconds: 3600,
  bindingsPerUser: 3,
};
const edge: BindingReach = { kind: 'path', path: ['<sip:token@10.0.0.1:5061;transport=tls;lr;ob>'] };

class Play {
  readonly directory: Directory;
  readonly registrar: Registrar;
  wall = 1_000_000;

  constructor(overrides: Partial<typeof settings> = {}) {
    const opened = Directory.open(':memory:');
    assert.ok(opened.ok);
    this.directory = opened.value;
    this.registrar = new Registrar(this.directory, { ...settings, ...overrides });
  }
  register(sketch: RequestSketch, reach: BindingReach = edge): RegistrarAnswer {
    return this.registrar.register({ aor: 'alice@example.test', request: request(sketch), reach }, this.wall);
  }
  contacts(): string[] {
    return this.registrar.lookup('alice@example.test', this.wall).map(({ contact }) => contact);
  }
}

function contact(uri: string, rest = ''): readonly [string, string] {
  return ['Contact', `<${uri}>${rest}`];
}

test('a contact is bound for the time asked, looked up, refreshed and forgotten when the time is over', () => {
  const play = new Play();
  const first = play.register({ headers: [contact('sip:alice@1.2.3.4:5061'), ['Expires', '600']] });
  assert.equal(first.status, 200);
  assert.deepEqual(play.contacts(), ['sip:alice@1.2.3.4:5061']);
  play.wall += 599_000;
  const again = play.register({ cseq: 2, headers: [contact('sip:alice@1.2.3.4:5061'), ['Expires', '600']] });
  assert.ok(again.status === 200 && again.bindings.length === 1);
  play.wall += 599_000;
  assert.equal(play.contacts().length, 1);
  play.wall += 2_000;
  assert.deepEqual(play.contacts(), []);
});

test('expires: the parameter of the contact counts before the header, and the default when there is neither', () => {
  const play = new Play();
  play.register({
    headers: [contact('sip:a@1.1.1.1', ';expires=100'), contact('sip:b@1.1.1.1'), ['Expires', '200']],
  });
  play.register({ cseq: 2, headers: [contact('sip:c@1.1.1.1')] });
  const lives = new Map(
    play.registrar
      .lookup('alice@example.test', play.wall)
      .map((b) => [b.contact, (b.expires - play.wall) / 1000]),
  );
  assert.deepEqual([...lives].sort(), [
    ['sip:a@1.1.1.1', 100],
    ['sip:b@1.1.1.1', 200],
    ['sip:c@1.1.1.1', 3600],
  ]);
});

test('[setting frontEnd.registrar.minExpiresSeconds] a shorter time is refused with 423, zero is not', () => {
  for (const minimum of [60, 300]) {
    const play = new Play({ minExpiresSeconds: minimum });
    const short = play.register({ headers: [contact('sip:a@1.1.1.1'), ['Expires', `${minimum - 1}`]] });
    assert.deepEqual(short, { status: 423, minExpires: minimum });
    const exact = play.register({ cseq: 2, headers: [contact('sip:a@1.1.1.1'), ['Expires', `${minimum}`]] });
    assert.equal(exact.status, 200);
  }
});

test('[setting frontEnd.registrar.maxExpiresSeconds] a longer time is cut', () => {
  for (const maximum of [100, 7200]) {
    const play = new Play({ maxExpiresSeconds: maximum });
    const answer = play.register({ headers: [contact('sip:a@1.1.1.1'), ['Expires', '100000']] });
    assert.ok(answer.status === 200);
    assert.equal((answer.bindings[0]?.expires ?? 0) - play.wall, maximum * 1000);
  }
});

test('[setting frontEnd.registrar.defaultExpiresSeconds] is granted to who asks for none', () => {
  const play = new Play({ defaultExpiresSeconds: 777 });
  const answer = play.register({ headers: [contact('sip:a@1.1.1.1')] });
  assert.ok(answer.status === 200);
  assert.equal((answer.bindings[0]?.expires ?? 0) - play.wall, 777_000);
});

test('[setting frontEnd.registrar.bindingsPerUser] one more device is refused, and nothing of that request is kept', () => {
  const play = new Play({ bindingsPerUser: 2 });
  play.register({ headers: [contact('sip:a@1.1.1.1')] });
  const answer = play.register({
    callId: 'other',
    headers: [contact('sip:b@1.1.1.1'), contact('sip:c@1.1.1.1')],
  });
  assert.equal(answer.status, 403);
  assert.deepEqual(play.contacts(), ['sip:a@1.1.1.1']);
});

test('RFC 3261 §10.3: an older request of the same Call-ID changes nothing, all contacts or none', () => {
  const play = new Play();
  play.register({ cseq: 5, headers: [contact('sip:a@1.1.1.1')] });
  assert.equal(play.register({ cseq: 5, headers: [contact('sip:a@1.1.1.1', ';expires=0')] }).status, 500);
  const half = play.register({ cseq: 4, headers: [contact('sip:b@1.1.1.1'), contact('sip:a@1.1.1.1')] });
  assert.equal(half.status, 500);
  assert.deepEqual(play.contacts(), ['sip:a@1.1.1.1']);
  assert.equal(
    play.register({ callId: 'new', cseq: 1, headers: [contact('sip:a@1.1.1.1', ';expires=0')] }).status,
    200,
  );
  assert.deepEqual(play.contacts(), []);
});

test('RFC 3261 §10.3 step 7: when the store fails half-way, nothing of the request is kept', () => {
  const play = new Play();
  play.register({ headers: [contact('sip:alice@1.1.1.1')] });
  const { directory } = play;
  const failing: BindingStore = {
    of: (aor) => directory.of(aor),
    remove: (aor, key) => directory.remove(aor, key),
    atomically: (change) => directory.atomically(change),
    put: (binding) => {
      if (binding.contact === 'sip:alice@3.3.3.3') throw new Error('the disk is full');
      directory.put(binding);
    },
  };
  const both = request({ cseq: 2, headers: [contact('sip:alice@2.2.2.2'), contact('sip:alice@3.3.3.3')] });
  const registrar = new Registrar(failing, settings);
  const registration = { aor: 'alice@example.test', request: both, reach: edge };
  assert.throws(() => registrar.register(registration, play.wall), /disk/);
  assert.deepEqual(play.contacts(), ['sip:alice@1.1.1.1']);
});

test('Contact * removes everything and needs Expires 0', () => {
  const play = new Play();
  play.register({ headers: [contact('sip:a@1.1.1.1'), contact('sip:b@1.1.1.1')] });
  assert.equal(play.register({ cseq: 2, headers: [['Contact', '*']] }).status, 400);
  assert.equal(
    play.register({
      cseq: 2,
      headers: [
        ['Contact', '*, <sip:a@1.1.1.1>'],
        ['Expires', '0'],
      ],
    }).status,
    400,
  );
  assert.equal(
    play.register({
      cseq: 3,
      headers: [
        ['Contact', '*'],
        ['Expires', '0'],
      ],
    }).status,
    200,
  );
  assert.deepEqual(play.contacts(), []);
});

test('a request without Contact asks what is there', () => {
  const play = new Play();
  play.register({ headers: [contact('sip:a@1.1.1.1')] });
  const answer = play.register({ cseq: 2 });
  assert.ok(answer.status === 200 && answer.bindings.length === 1);
});

test('RFC 5626 §6: the same instance and reg-id replace the binding although the contact differs', () => {
  const play = new Play();
  const flow = (uri: string): RequestSketch => ({
    callId: uri,
    headers: [contact(uri, ';reg-id=1;+sip.instance="<urn:uuid:0000>"'), ['Supported', 'outbound, path']],
  });
  const first = play.register(flow('sip:alice@1.1.1.1:1000'));
  assert.ok(first.status === 200 && first.outbound);
  play.register(flow('sip:alice@1.1.1.1:2000'));
  assert.deepEqual(play.contacts(), ['sip:alice@1.1.1.1:2000']);
  const plain: BindingReach = { kind: 'path', path: ['<sip:token@10.0.0.1;lr>'] };
  assert.equal(play.register(flow('sip:alice@1.1.1.1:3000'), plain).status, 439);
});

test('lookup: the highest q first', () => {
  const play = new Play();
  play.register({
    headers: [
      contact('sip:low@1.1.1.1', ';q=0.1'),
      contact('sip:high@1.1.1.1'),
      contact('sip:mid@1.1.1.1', ';q=0.5'),
    ],
  });
  assert.deepEqual(play.contacts(), ['sip:high@1.1.1.1', 'sip:mid@1.1.1.1', 'sip:low@1.1.1.1']);
});

test('connections of an earlier process are forgotten, paths are not', () => {
  const play = new Play();
  play.register({ headers: [contact('sip:a@1.1.1.1')] });
  play.register({ callId: 'b', headers: [contact('sip:b@1.1.1.1')] }, { kind: 'flow', flow: 7 });
  play.directory.forgetFlows();
  assert.deepEqual(play.contacts(), ['sip:a@1.1.1.1']);
});

test('a REGISTER with more contacts than anybody has is refused before they are compared', () => {
  const play = new Play();
  const many = Array.from({ length: 129 }, (_, i) => `<sip:alice@1.2.3.4:${i + 1}>;expires=0`);
  const answer = play.register({ headers: [['Contact', many.join(', ')]] });
  assert.deepEqual(answer, { status: 403, reason: 'Too Many Bindings' });
});
