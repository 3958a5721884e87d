import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FailureError } from '#kernel';
import { Metrics } from '#platform/telemetry';
import { Meetings } from './meetings.ts';
import { serviceMetrics } from './service-metrics.ts';
import { settingsOf } from './settings.ts';
import { SigningKeys } from './signing-keys.ts';
import { ConferenceStore } from './store/conference-store.ts';
import { FileStore } from './store/file-store.ts';
import { DOMAIN, NODE, Stage, unwrap, type Written } from './testing/stage.ts';
import { Tokens } from './tokens.ts';

interface Shown {
  readonly id: string;
  readonly uri: string;
  readonly link: string;
  readonly created: string;
  readonly expires: string;
}

const wanted = { title: 'Plans', organizer: 'alice@example.com', guests: true };

/** The meetings of a service with such a document, as the focus sees them. */
function conferences(stage: Stage, written: Written): Meetings {
  const settings = settingsOf(stage.document({ domain: DOMAIN, ...written }));
  assert.ok(settings);
  const random = { bytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)) };
  const keys = unwrap(SigningKeys.load(join(stage.folder, 'test.key')));
  const store = unwrap(ConferenceStore.open(':memory:'));
  const { clock, log } = stage;
  const files = unwrap(FileStore.open(join(stage.folder, 'files')));
  const metrics = serviceMetrics(new Metrics());
  return new Meetings({
    clock,
    random,
    log,
    store,
    settings,
    files,
    metrics,
    tokens: new Tokens(keys, NODE, random),
  });
}
const refused = (code: string) => (error: unknown) =>
  error instanceof FailureError && error.failure.code === code;
function guest(name: string) {
  const address = `${name}@anonymous.invalid`;
  return { address, displayName: name, kind: 'guest', outside: true, device: '' } as const;
}

test('the service does nothing without a domain, and its conferences are in that domain [setting webConferencing.domain]', async () => {
  await using stage = await Stage.open({});
  await assert.rejects(stage.ask('list'), refused('SLP-WEB-0050'));
  assert.equal(existsSync(join(stage.folder, 'web-conferencing.sqlite')), false);
  await stage.use({ domain: 'meet.example.com' });
  const { uri } = await stage.ask<Shown>('create', wanted);
  assert.match(uri, /^sip:[a-z2-7]{16}@meet\.example\.com$/);
});

test('a link leads to the page that the document names [setting webConferencing.meetingUrl]', async () => {
  await using stage = await Stage.open();
  const { id, link } = await stage.ask<Shown>('create', wanted);
  const fragment = `#conference=sip%3A${id}%40${DOMAIN}&key=`;
  assert.ok(link.startsWith(`https://${DOMAIN}/${fragment}`), link);
  assert.match(link, /&key=[A-Za-z0-9_-]{16}$/);
  await stage.use({ domain: DOMAIN, meetingUrl: 'https://pool.example.com/meet/' });
  const shown = await stage.ask<Shown>('show', { meeting: id });
  assert.ok(shown.link.startsWith(`https://pool.example.com/meet/${fragment}`), shown.link);
});

test('meetings are where the document says, and come back from there [setting webConferencing.database]', async () => {
  await using stage = await Stage.open();
  const { id } = await stage.ask<Shown>('create', wanted);
  await stage.use({ domain: DOMAIN, database: join(stage.folder, 'other.sqlite') });
  await assert.rejects(stage.ask('show', { meeting: id }), refused('SLP-WEB-0052'));
  await stage.use({ domain: DOMAIN });
  assert.equal((await stage.ask<Shown>('show', { meeting: id })).id, id);
});

test('a participant without a connection has left after the grace time [setting webConferencing.graceSeconds]', async () => {
  await using stage = await Stage.open();
  for (const [graceSeconds, left] of [
    [30, 1],
    [60, 0],
  ] as const) {
    const meetings = conferences(stage, { graceSeconds });
    const { id } = unwrap(meetings.create({ ...wanted, presenters: [], federated: false }));
    assert.ok(meetings.admit(id, guest('Bob')).ok);
    const gone: unknown[] = [];
    meetings.onDeparture((...departure) => void gone.push(departure));
    stage.clock.advance(45_000);
    meetings.handleTime();
    assert.equal(gone.length, left, `${graceSeconds}`);
    if (left === 1) assert.deepEqual(gone, [[id, 1, 'absent']]);
  }
});

test('a meeting lives as long as the document says, unless it was created for another time [setting webConferencing.expiryHours]', async () => {
  await using stage = await Stage.open({ domain: DOMAIN, expiryHours: 2 });
  const hours = ({ created, expires }: Shown) => (Date.parse(expires) - Date.parse(created)) / 3_600_000;
  assert.equal(hours(await stage.ask<Shown>('create', wanted)), 2);
  assert.equal(hours(await stage.ask<Shown>('create', { ...wanted, hours: 5 })), 5);
  await stage.use({ domain: DOMAIN, expiryHours: 3 });
  assert.equal(hours(await stage.ask<Shown>('create', wanted)), 3);
});

test('a meeting that is over is kept for a while and then forgotten [setting webConferencing.keptHours]', async () => {
  await using stage = await Stage.open({ domain: DOMAIN, keptHours: 5 });
  const { id } = await stage.ask<Shown>('create', wanted);
  await stage.ask('end', { meeting: id });
  stage.clock.advance(4 * 3_600_000);
  assert.equal((await stage.ask<Shown>('show', { meeting: id })).id, id);
  await stage.use({ domain: DOMAIN, keptHours: 3 });
  stage.clock.advance(1000);
  await assert.rejects(stage.ask('show', { meeting: id }), refused('SLP-WEB-0052'));
});

test('there are no more meetings than the document allows [setting webConferencing.limits.meetings]', async () => {
  await using stage = await Stage.open({ domain: DOMAIN, limits: { meetings: 1 } });
  await stage.ask('create', wanted);
  await assert.rejects(stage.ask('create', wanted), refused('SLP-WEB-0053'));
  await stage.use({ domain: DOMAIN, limits: { meetings: 2 } });
  await stage.ask('create', wanted);
});

test('there are no more participants in a meeting than the document allows [setting webConferencing.limits.participants]', async () => {
  await using stage = await Stage.open();
  const meetings = conferences(stage, { limits: { participants: 2 } });
  const { id } = unwrap(meetings.create({ ...wanted, presenters: [], federated: false }));
  const outcomes = ['Bob', 'Carol', 'Dave'].map((name) => meetings.admit(id, guest(name)));
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.ok ? outcome.value.role : outcome.error)),
    ['attendee', 'attendee', 'full'],
  );
});
