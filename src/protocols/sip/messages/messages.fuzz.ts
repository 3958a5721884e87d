import assert from 'node:assert/strict';
import type { FuzzTarget } from '#tools/fuzz';
import { readVectors } from '../testing/vectors.ts';
import { MessageEdit } from './edit.ts';
import { type FramerEvent, SipStreamFramer } from './framer.ts';
import { splitValues } from './header-value.ts';
import { sipLimits } from './limits.ts';
import { formatNameAddress, parseNameAddress } from './name-address.ts';
import type { Parameters } from './parameters.ts';
import { parseSipMessage } from './parse.ts';
import { formatSipUri, parseSipUri } from './uri.ts';
import { sameSipUri } from './uri-compare.ts';
import { formatVia, parseVia } from './via.ts';

const messages = [...readVectors('rfc3261-24.txt'), ...readVectors('rfc4475.txt')].map(({ bytes }) => bytes);
const seeds = (...texts: readonly string[]) => texts.map((text) => Buffer.from(text));
const text = (input: Uint8Array) => Buffer.from(input).toString('latin1');

const limits = { ...sipLimits, messageBytes: 4096, headerLineBytes: 1024, headers: 60 };
const start = 'OPTIONS sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.4;branch=z9hG4bK1\r\n';
const rest =
  'From: <sip:a@b>;tag=a\r\nTo: <sip:b@c>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n';

function describeEvent(event: FramerEvent): string {
  if (event.type === 'message') return event.message.bytes.toString('latin1');
  if (event.type === 'bad-request' || event.type === 'bad-response') return `${event.reason} ${event.fatal}`;
  return event.type === 'close' ? event.reason : event.type;
}
const keepAlive = (line: string | undefined) => line === 'ping' || line === 'pong';

/** Feeds `prefix` and `input`, whole and in pieces whose size the input itself decides. */
function framing(prefix: string, input: Uint8Array): void {
  const stream = Buffer.concat([Buffer.from(prefix), input]);
  const size = 1 + ((input[0] ?? 0) % 64);
  const runs = [stream.length || 1, size].map((step) => {
    const framer = new SipStreamFramer(limits);
    const lines: string[] = [];
    for (let at = 0; at < stream.length; at += step) {
      for (const event of framer.push(stream.subarray(at, at + step), at)) {
        if (event.type === 'message') assert.ok(event.message.bytes.length <= limits.messageBytes);
        const line = describeEvent(event);
        if (!keepAlive(line) || lines.at(-1) !== line) lines.push(line);
      }
      assert.ok(framer.heldBytes <= 2 * limits.messageBytes + 16);
      assert.equal(framer.closed && framer.heldBytes > 0, false);
    }
    return lines;
  });
  assert.deepEqual(runs[1], runs[0]);
}

/** What parses must survive an edit, and the copy must parse to the same. */
function message(input: Uint8Array): void {
  const parsed = parseSipMessage(Buffer.from(input), limits);
  if (!parsed.ok) {
    const { response } = parsed.error;
    if (response !== undefined) checkAnswer(response);
    return;
  }
  const before = parsed.value;
  assert.ok(before.head.count <= limits.headers);
  const grown = { ...limits, messageBytes: limits.messageBytes + 200, headers: limits.headers + 2 };
  const edit = new MessageEdit(before).prepend('Via', 'SIP/2.0/TLS edge.example.com;branch=z9hG4bK0');
  const copy = parseSipMessage(edit.toBytes(), grown);
  assert.ok(copy.ok, copy.ok ? '' : copy.error.reason);
  assert.equal(copy.value.topVia.branch, 'z9hG4bK0');
  const back = parseSipMessage(new MessageEdit(copy.value).removeFirst('Via').toBytes(), grown);
  assert.ok(back.ok, back.ok ? '' : back.error.reason);
  assert.deepEqual(facts(back.value), facts(before));
  assert.ok(back.value.body.equals(before.body));
}

function facts(value: ReturnType<typeof messageOf>): unknown {
  const { kind, callId, cseq } = value;
  const fields = [...value.fields()].filter(([name]) => name !== 'Content-Length');
  const [from, to] = [withParameters(value.from), withParameters(value.to)];
  return { kind, callId, cseq, from, to, vias: value.vias().map(withParameters), fields };
}
/** Parameters by what they are, not by the text they were read from. */
function withParameters<T extends { readonly parameters: Parameters }>(value: T) {
  return { ...value, parameters: [...value.parameters] };
}
function messageOf(bytes: Buffer) {
  const parsed = parseSipMessage(bytes, limits);
  if (!parsed.ok) throw new Error(parsed.error.reason);
  return parsed.value;
}

/** An answer repeats bad lines, so it need not parse; but it is one head, and no line of it is new. */
function checkAnswer(response: Buffer): void {
  const answer = response.toString('latin1');
  assert.match(answer, /^SIP\/2\.0 [45]\d\d [^\r\n]+\r\n/);
  assert.equal(answer.indexOf('\r\n\r\n'), answer.length - 4);
}

function uri(input: Uint8Array): void {
  const parsed = parseSipUri(text(input));
  if (!parsed.ok) return;
  const again = parseSipUri(formatSipUri(parsed.value));
  assert.deepEqual(again, parsed);
  assert.ok(sameSipUri(parsed.value, parsed.value));
}

function nameAddress(input: Uint8Array): void {
  for (const value of splitValues(text(input))) {
    const parsed = parseNameAddress(value);
    if (!parsed.ok || /[\r\n]/.test(value)) continue;
    const again = parseNameAddress(formatNameAddress(parsed.value));
    assert.deepEqual(again.ok && withParameters(again.value), withParameters(parsed.value));
  }
}

function via(input: Uint8Array): void {
  for (const value of splitValues(text(input))) {
    const parsed = parseVia(value);
    if (!parsed.ok || /[\r\n]/.test(value)) continue;
    const again = parseVia(formatVia(parsed.value));
    assert.deepEqual(again.ok && withParameters(again.value), withParameters(parsed.value));
  }
}

export const targets: readonly FuzzTarget[] = [
  { name: 'sip-framer-start', seeds: messages, run: (input) => framing('', input) },
  {
    name: 'sip-framer-mid-header',
    seeds: seeds(`${rest}Content-Length: 2\r\n\r\nhi`, 'l: 0\r\n\r\n\r\n\r\n', 'X: y\r\n z\r\n'),
    run: (input) => framing(start, input),
  },
  {
    name: 'sip-framer-mid-body',
    seeds: seeds('hello', `hello${start}${rest}l:0\r\n\r\n`, 'hello\r\n\r\n'),
    run: (input) => framing(`${start}${rest}Content-Length: 5\r\n\r\nh`, input),
  },
  {
    name: 'sip-framer-stepping-over',
    seeds: seeds('hello', `hello${start}${rest}l:0\r\n\r\n`),
    run: (input) => framing(`${start}${rest.replace('1 OPTIONS', '1 BYE')}l: 5\r\n\r\nh`, input),
  },
  { name: 'sip-message', seeds: messages, run: message },
  {
    name: 'sip-uri',
    seeds: seeds(
      'sip:alice@example.com',
      'sips:alice:secret@[2001:db8::1]:5061;transport=tls;lr?subject=x&to=y',
      'sip:user;par=u%40example.net@example.com',
    ),
    run: uri,
  },
  {
    name: 'sip-name-address',
    seeds: seeds(
      '"Alice \\"A\\", x" <sip:alice@example.com;lr>;tag=1;q=0.5, <sip:b@c>',
      'Bob Smith <sip:bob@biloxi.com>;+sip.instance="<urn:uuid:1>"',
      'sip:carol@example.com;tag=x',
    ),
    run: nameAddress,
  },
  {
    name: 'sip-via',
    seeds: seeds(
      'SIP/2.0/UDP host:5060;branch=z9hG4bK1;rport;received=192.0.2.1',
      'SIP / 2.0 / TCP [2001:db8::1] : 5061 ;ttl=16;maddr=224.2.0.1, SIP/2.0/TLS b;rport=5061',
    ),
    run: via,
  },
];
