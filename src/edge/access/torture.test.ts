import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildResponse, SipStreamFramer, sipLimits } from '#protocols/sip';
import { readVectors } from '../../protocols/sip/testing/vectors.ts';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import type { SipPeer } from './testing/sip-peer.ts';

/*
 * Every message of RFC 4475 and RFC 5118 over TLS against the edge, and what the connection is good for afterwards.
 * spec/vectors/sip/torture.tsv says what has to come of each, and why where the RFC says something else.
 */

interface Row {
  readonly name: string;
  /** What the next hop's 202 or the edge itself says to it, in order; `nothing` for none. */
  readonly outcome: string;
  readonly connection: string;
  /** What the table puts in place of what, so that the message reaches its point here: `old=new`; mostly nothing. */
  readonly changed: string;
}

const DEADLINE_MS = 30_000;
/** What the next hop says to everything that reaches it; the edge never says it by itself. */
const REACHED = 202;
/** The Call-ID of the ordinary request behind each message. */
const AFTERWARDS = 'afterwards';
/** What the messages of both documents call home: the edge serves it all, so that none ends at its From or its Route. */
const HOME = ['example.net', 'example.org', 'east.example.com', 'services.example.com'];
/** The registrars of RFC 5118, which have no names; the second one is what a port without brackets is read as. */
const HOME_ADDRESSES = ['2001:db8::10', '2001:db8::10:5070'];

const table = readFileSync(join(import.meta.dirname, '../../../spec/vectors/sip/torture.tsv'), 'utf8');
const rows: readonly Row[] = table
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [, name = '', , outcome = '', connection = '', changed = ''] = line.split('\t');
    return { name, outcome, connection, changed };
  });

/** Octets that a message announces and does not bring: on a stream they are waited for, so they follow. */
function missingOctets(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  const announced = Number(/\r\n(?:Content-Length|l)[ \t]*:[ \t]*(\d{1,4})\r\n/i.exec(text)?.[1] ?? 0);
  const brought = text.length - text.indexOf('\r\n\r\n') - 4;
  return 'x'.repeat(Math.max(0, announced - brought));
}

/** Answers everything that the edge sends to the next hop; gives the bodies of what came there. */
function answerAll(peer: SipPeer): Buffer[] {
  const bodies: Buffer[] = [];
  const framer = new SipStreamFramer(sipLimits, 'answers');
  peer.socket.removeAllListeners('data');
  peer.socket.on('data', (chunk: Buffer) => {
    for (const event of framer.push(chunk, 0)) {
      assert.ok(event.type === 'message', `the edge sends ${JSON.stringify(event)}`);
      const { message } = event;
      if (message.kind !== 'request' || message.method === 'ACK') continue;
      if (message.callId !== AFTERWARDS) bodies.push(Buffer.from(message.body));
      peer.sends(buildResponse(message, REACHED, { toTag: 'hop' }));
    }
  });
  return bodies;
}

/** Sends the vector and then an ordinary request; what comes back until that one is answered, or the end. */
async function play(lab: AccessLab, bytes: Buffer): Promise<Pick<Row, 'outcome' | 'connection'>> {
  const client = await lab.client();
  client.socket.removeAllListeners('data');
  const statuses: string[] = [];
  let text = '';
  const connection = await new Promise<string>((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`no end; so far: ${text}`)), DEADLINE_MS);
    const end = (how: string) => {
      clearTimeout(deadline);
      resolve(how);
    };
    client.socket.on('close', () => end('closed'));
    client.socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let blank = text.indexOf('\r\n\r\n'); blank >= 0; blank = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, blank);
        text = text.slice(blank + 4);
        const status = /^SIP\/2\.0 (\d+)/.exec(head)?.[1] ?? 'unreadable';
        if (head.includes(`\r\nCall-ID: ${AFTERWARDS}`)) end(status === String(REACHED) ? 'open' : status);
        else if (status !== '100') statuses.push(status);
      }
    });
    client.sends(bytes);
    client.sends(request('MESSAGE', 'sip:carol@example.com', { 'Call-ID': AFTERWARDS }));
  });
  client.ends();
  return { outcome: statuses.join(' ') || 'nothing', connection };
}

/** The message as it is sent here: as the RFC has it, unless the table says otherwise, and whole. */
function sent({ name, bytes }: { readonly name: string; readonly bytes: Buffer }): Buffer {
  const changed = rows.find((row) => row.name === name)?.changed ?? '';
  const [old = '', other = ''] = changed.split('=');
  const text = bytes.toString('latin1');
  assert.ok(text.includes(old), `${name} has no ${old}`);
  return Buffer.from(text.replace(old, other) + missingOctets(bytes), 'latin1');
}

test('RFC 4475 and RFC 5118 over TLS: every message of the table has its verdict, and the connection behaves afterwards', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ host, policy }) => {
      policy.sipDomains.push(...HOME);
      host.addresses.access.push(...HOME_ADDRESSES);
    },
  });
  const bodies = answerAll(await lab.frontEnds[0].connection());
  const vectors = [...readVectors('rfc4475.txt'), ...readVectors('rfc5118.txt')];
  assert.equal(vectors.length, 61, 'forty-nine and twelve');
  const seen: Row[] = [];
  for (const vector of vectors) {
    const bytes = sent(vector);
    bodies.length = 0;
    const { name } = vector;
    const changed = rows.find((row) => row.name === name)?.changed ?? '';
    seen.push({ name, ...(await play(lab, bytes)), changed });
    for (const body of bodies) assert.ok(bytes.includes(body), `${name}: its body goes on as it came`);
  }
  assert.deepEqual(seen, rows);
});
