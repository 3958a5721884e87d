import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLog, memoryLog, silentLog } from './log.ts';
import { REDACTED } from './redaction.ts';

test('a line is one JSON object with level, time, event and fields', () => {
  const lines: string[] = [];
  const log = createLog({ fields: { service: 'access' }, write: (line) => lines.push(line) });
  log.info('listening', { port: 443 });
  assert.equal(lines.length, 1);
  assert.ok(lines[0]?.endsWith('}\n'));
  const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.equal(line.level, 'info');
  assert.equal(line.event, 'listening');
  assert.equal(line.service, 'access');
  assert.equal(line.port, 443);
  assert.ok(!Number.isNaN(Date.parse(String(line.time))));
});

test('secrets are redacted by key name at any depth, also in children and maps', () => {
  const log = memoryLog();
  const secret = 'hunter2';
  log.child({ password: secret }).warn('refused', {
    user: 'alice',
    headers: { 'Proxy-Authorization': secret, cseq: 1 },
    list: [{ ha1: secret }, { relay_token: secret }],
    map: new Map([['sharedSecret', secret]]),
    error: Object.assign(new Error('no', { cause: { password: secret } }), { code: { password: secret } }),
    raw: [
      ['Authorization', secret],
      ['WWW-Authorization-Info', secret],
    ],
    mediaKey: secret,
    keys: [secret],
    auth: secret,
    tokens: { first: secret },
  });
  assert.equal(JSON.stringify(log.lines).includes(secret), false);
  assert.equal(log.lines[0]?.password, REDACTED);
  assert.equal(log.lines[0]?.user, 'alice');
  assert.deepEqual(log.lines[0]?.headers, { 'Proxy-Authorization': REDACTED, cseq: 1 });
});

test('two sentences of which the first speaks of a key are no header and stand in the log', () => {
  const log = memoryLog();
  const problems = ['access: a private key does not belong to its certificate', 'av: it does not exist'];
  log.error('document not applied', { problems, header: ['X-Api-Key', 'hunter2'] });
  assert.deepEqual(log.lines[0]?.problems, problems);
  assert.deepEqual(log.lines[0]?.header, ['X-Api-Key', REDACTED]);
});

test('a name stands in a line once, with the value that is nearest to it', () => {
  const lines: string[] = [];
  const log = createLog({ fields: { service: 'supervisor', pid: 1 }, write: (line) => lines.push(line) });
  log.child({ service: 'access' }).info('service is back', { pid: 2 });
  const [line = ''] = lines;
  for (const name of ['service', 'pid']) assert.equal(line.split(`"${name}":`).length, 2, line);
  const { service, pid } = JSON.parse(line) as Record<string, unknown>;
  assert.deepEqual([service, pid], ['access', 2]);
});

test('what a peer sent cannot break out of its field or its line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const lines: string[] = [];
      createLog({ write: (line) => lines.push(line) }).info('peer said', { text });
      assert.equal(lines.length, 1);
      assert.equal(lines[0]?.trimEnd().includes('\n'), false);
      const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
      assert.equal(line.event, 'peer said');
      assert.equal(typeof line.text, 'string');
    }),
    { numRuns: 300 },
  );
});

test('what a terminal would obey beyond ASCII is written out, in names too', () => {
  const lines: string[] = [];
  createLog({ write: (line) => lines.push(line) }).warn('peer said', {
    text: 'a\u009b31m\u202e\u2028b',
    nested: { 'na\u009bme': new Error('\u009b') },
  });
  assert.doesNotMatch(lines.join(''), /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/u);
  assert.equal((JSON.parse(lines[0] ?? '') as { text: string }).text, 'a\\u{9b}31m\\u{202e}\\u{2028}b');
});

test('fields do not replace level, time or event; percent signs are plain text', () => {
  const log = memoryLog();
  log.error('100%s sure %d', { level: 'debug', event: 'forged' });
  assert.equal(log.lines[0]?.level, 'error');
  assert.equal(log.lines[0]?.event, '100%s sure %d');
  assert.equal(log.lines[0]?.event_, 'forged');
});

test('bytes, errors, cycles, long text and width are cut to something printable', () => {
  const log = memoryLog();
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  log.info('odd', {
    bytes: new Uint8Array(9),
    error: Object.assign(new Error('no'), { code: 'ENOENT' }),
    cycle,
    long: 'x'.repeat(5000),
    wide: Array.from({ length: 1000 }, (_, index) => index),
  });
  const line = log.lines[0];
  assert.equal(line?.bytes, '[9 bytes]');
  assert.deepEqual(line?.error, { type: 'Error', message: 'no', code: 'ENOENT' });
  assert.ok(JSON.stringify(line).length < 6000);
});

test('the level decides what is written; a silent log takes anything', () => {
  const lines: string[] = [];
  const log = createLog({ level: 'warn', write: (line) => lines.push(line) });
  log.debug('no');
  log.info('no');
  log.child({ connection: 1 }).error('yes');
  assert.equal(lines.length, 1);
  silentLog().child({}).error('nothing');
});
