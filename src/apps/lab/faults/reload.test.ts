import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { Directory, newAccount } from '#internal/front-end';
import { LabAuthority } from '#platform/pki';
import { Perimeter } from '../testing/perimeter.ts';
import { type Change, change, edit, type Program, reload, restore, textOf } from './documents.ts';
import { type Conversation, Person } from './person.ts';
import { RawSip } from './raw-sip.ts';
import { Traffic } from './traffic.ts';
import { until } from './until.ts';

/*
 * Documents change while twenty people outside write to one another and alice talks with bob, who is inside. Whatever
 * becomes of a document, no message is refused or lost, no packet of the call is missing, and nobody is disconnected.
 */

/** 127.74.x.y is the addresses of this file. */
const NETWORK = 74;
const PASSWORD = 'one for all of them';
const WRITERS = Array.from({ length: 20 }, (_, number) => `writer${number}`);

let perimeter: Perimeter;
let alice: Person;
let bob: Person;
let writers: readonly Person[] = [];
let traffic: Traffic;
let call: Conversation;

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true });
  const directory = Directory.open(perimeter.files.database);
  assert.ok(directory.ok);
  for (const user of WRITERS) {
    const { domain } = perimeter.plan;
    const account = newAccount({ address: `${user}@${domain}`, password: PASSWORD, algorithm: 'SHA-256' }, [
      domain,
    ]);
    assert.ok(account.ok);
    directory.value.save(account.value);
  }
  directory.value.close();
  await perimeter.start();
  writers = WRITERS.map((user) => new Person(perimeter, user, PASSWORD));
  await Promise.all(writers.map((writer) => writer.connect()));
  [alice, bob] = [await Person.arrive(perimeter, 'alice'), await Person.arrive(perimeter, 'bob')];
});
after(async () => {
  await Promise.all([alice, bob, ...writers].map((person) => person?.leave()));
  await perimeter.stop();
});

let pids: unknown;
beforeEach(async () => {
  pids = await processes();
  call = await alice.call(bob);
  traffic = new Traffic(writers);
  await traffic.goesOn();
});
afterEach(async () => {
  await traffic.goesOn();
  await call.flows();
  const { sent, lost } = await traffic.stop();
  assert.ok(sent > 0);
  assert.equal(lost, 0);
  assert.equal(call.lost, 0);
  await call.hangUp();
  for (const person of [alice, bob, ...writers])
    assert.ok(person.phone.flow.open, `${person.user} is connected`);
  assert.deepEqual(await processes(), pids);
});

async function processes(): Promise<unknown> {
  const all = await Promise.all([perimeter.edge, perimeter.internal].map((program) => program.status()));
  return all.map((status) => status?.services.map(({ name, pid, restarts }) => [name, pid, restarts]));
}
async function version(program: Program): Promise<number> {
  const status = await perimeter[program].status();
  assert.ok(status?.healthy);
  for (const { documentVersion } of status.services) assert.equal(documentVersion, status.document.version);
  return status.document.version;
}

/** Reloads with a change that must not be taken; gives what the operator is told. Nothing has changed then. */
async function refusal(program: Program, settings: Change): Promise<readonly string[]> {
  const [good, before] = [textOf(perimeter, program), await version(program)];
  edit(perimeter, program, settings);
  const report = await reload(perimeter, program);
  assert.equal(report.outcome, 'refused');
  assert.equal(report.version, before);
  assert.equal(await version(program), before);
  await traffic.goesOn();
  await call.flows();
  restore(perimeter, program, good);
  assert.equal((await reload(perimeter, program)).outcome, 'applied');
  return report.problems;
}

test('other limits: newcomers meet them, what is open stays', async () => {
  const before = await version('edge');
  await change(perimeter, 'edge', {
    'policy.limits.access.connectionsPerSource': 5,
    'policy.relay.allocationsPerUser': 1,
  });
  assert.ok((await version('edge')) > before);
  await assert.rejects(RawSip.outside(perimeter));
  await assert.rejects(alice.openPath(), /SLP-/, 'alice has one allocation, that of the call');
  await call.flows();
  await change(perimeter, 'internal', { 'frontEnd.limits.messageBytes': 32_768 });
  await change(perimeter, 'edge', {
    'policy.limits.access.connectionsPerSource': 500,
    'policy.relay.allocationsPerUser': 12,
  });
  (await RawSip.outside(perimeter)).close();
  await (await alice.openPath()).close();
});

test('renewed certificates: they are noticed, new handshakes show them, old connections stay', async () => {
  const { files, plan } = perimeter;
  const internal = { localAddress: plan.frontEnd.address, identity: files.frontEnd };
  const places = [
    () => RawSip.outside(perimeter),
    () => RawSip.inside(perimeter),
    () =>
      RawSip.open(perimeter, {
        ...plan.internal,
        port: plan.internal.sip,
        name: plan.names.edge,
        ...internal,
      }),
    () => {
      const port = plan.internal.authentication;
      return RawSip.open(perimeter, { ...plan.internal, port, name: plan.names.edge, ...internal });
    },
  ];
  const shown = async () => {
    const connections = await Promise.all(places.map((open) => open()));
    const prints = connections.map(({ socket }) => socket.getPeerCertificate().fingerprint256);
    for (const connection of connections) connection.close();
    return prints;
  };
  const before = await shown();
  const authority = await LabAuthority.create({ name: 'Sallyport lab CA, the next one' });
  // First everybody is told whom to trust, then the certificates follow.
  appendFileSync(files.authority, `\n${authority.certificatePem}`);
  for (const program of ['edge', 'internal'] as const) {
    assert.equal((await reload(perimeter, program)).outcome, 'applied');
  }
  const { access, edge, frontEnd } = plan.names;
  await authority.issueTo(files.access, {
    name: access,
    hosts: [access, plan.domain],
    usages: ['serverAuth'],
  });
  await authority.issueTo(files.edge, { name: edge, hosts: [edge] });
  await authority.issueTo(files.frontEnd, { name: frontEnd, hosts: [frontEnd, plan.domain] });
  await until('every port shows its new certificate', async () => {
    const now = await shown();
    return now.every((print, index) => print !== before[index]);
  });
  await alice.write(bob, 'did you notice anything?');
});

test('an invalid document is refused with every error in its place, and the old one runs on', async () => {
  const edge = await refusal('edge', {
    'policy.limits.access.messageBytes': 'many',
    'policy.relay.colour': 'blue',
    'policy.nextHop.members.0.address': '192.0.2.1',
  });
  const place = /^\/.*\/edge\.yaml:\d+:\d+: .+: .+$/;
  for (const problem of edge) assert.match(problem, place);
  for (const word of ['messageBytes', 'colour', '192.0.2.1']) {
    assert.equal(edge.filter((problem) => problem.includes(word)).length, 1, `${word} in ${edge.join('\n')}`);
  }
  const [inside] = await refusal('internal', { 'frontEnd.edges.0.port': 70_000 });
  assert.match(inside ?? '', /^\/.*\/internal\.yaml:\d+:\d+: .*70000/);
});

test('a document that one service cannot use is taken back from all of them', async () => {
  // The A/V services do not need this key, and have made themselves ready; the third finds that it does not fit.
  const problems = await refusal('edge', {
    'host.certificates.av': { certificate: 'access.pem', key: 'access.key' },
    'host.certificates.access.key': 'edge.key',
    'policy.relay.allocationsPerUser': 1,
  });
  assert.deepEqual(
    problems.map((problem) => problem.split(':')[0]),
    ['access'],
  );
  await (await alice.openPath()).close();
});

test('a port that is taken: the document is refused and nothing moves', async () => {
  // There the internal program shows its metrics.
  const problems = await refusal('edge', {
    'host.administration.metrics.port': perimeter.plan.metrics.internal,
  });
  assert.match(problems.join(), /SLP-SVC-0002 .*:19437/);
  const { metrics } = perimeter.plan;
  assert.equal((await fetch(`http://${metrics.address}:${metrics.edge}/healthz`)).status, 200);
});
