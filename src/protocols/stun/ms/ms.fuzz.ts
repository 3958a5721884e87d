import type { FuzzTarget } from '#tools/fuzz';
import {
  decodeMs,
  decodeMsAddress,
  decodeMsErrorCode,
  decodeMsNumber,
  decodeMsSequence,
  decodeMsText,
  decodeMsXorAddress,
  looksLikeMs,
  MsAttributeType,
  MsDeframer,
  type MsMessage,
  MsWriter,
  matchPseudoClientHello,
  pseudoClientHello,
  Rfc4571Cutter,
  sameOctets,
} from '../index.ts';
import { msVectors, type VectorName, vectorBytes } from '../testing/ms-vectors.ts';

const writer = new MsWriter();
const buffer = new Uint8Array(70_000);

function fuzzMessage(input: Uint8Array): void {
  const decoded = decodeMs(input);
  if (!decoded.ok) return;
  if (!looksLikeMs(input)) throw new Error('decoded although it does not look like one');
  const message = decoded.value;
  decodeEverything(message);
  writer.begin(buffer, message.type, message.transactionId);
  let first = true;
  for (let at = 20; at < message.end; at = message.next(at)) {
    if (!first) writer.put(message.typeAt(at), message.valueAt(at));
    first = false;
  }
  if (!sameOctets(writer.bytes.subarray(4), input.subarray(4, message.end)))
    throw new Error('what is written again differs');
}

function decodeEverything(message: MsMessage): void {
  if (message.end > message.bytes.length || message.end < 20) throw new Error('out of bounds');
  for (const type of Object.values(MsAttributeType)) {
    decodeMsAddress(message, type);
    decodeMsNumber(message, type);
    const text = decodeMsText(message, type);
    if (text.ok && text.value.length > 508) throw new Error('text too long');
  }
  const code = decodeMsErrorCode(message);
  if (code.ok && (code.value < 300 || code.value > 699)) throw new Error(`code ${code.value}`);
  decodeMsSequence(message);
  decodeMsXorAddress(message);
  message.unknownRequired(new Set());
}

/** Whole, and octet by octet: the same frames and the same verdict. */
function fuzzFrames(input: Uint8Array): void {
  const whole: string[] = [];
  const single: string[] = [];
  const note = (list: string[]) => (type: number, content: Uint8Array) => {
    list.push(`${type} ${Buffer.from(content).toString('hex')}`);
    return true;
  };
  const goodWhole = new MsDeframer().handleBytes(input, note(whole));
  const slow = new MsDeframer();
  let goodSingle = true;
  for (const octet of input) goodSingle &&= slow.handleBytes(Uint8Array.of(octet), note(single));
  if (goodWhole !== goodSingle) throw new Error('verdicts differ');
  if (whole.join() !== single.join()) throw new Error('frames differ');
}

function fuzzPackets(input: Uint8Array): void {
  const cutter = new Rfc4571Cutter();
  let octets = 0;
  const half = input.length >> 1;
  for (const chunk of [input.subarray(0, half), input.subarray(half)]) {
    cutter.handleBytes(chunk, (packet) => {
      octets += packet.length;
    });
  }
  if (octets + cutter.pending !== input.length) throw new Error('octets were lost');
}

function fuzzHello(input: Uint8Array): void {
  const verdict = matchPseudoClientHello(input);
  for (let length = 0; length < input.length; length++) {
    const earlier = matchPseudoClientHello(input.subarray(0, length));
    if (earlier === 'no' && verdict !== 'no') throw new Error('a refusal was taken back');
  }
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'ms-turn-message',
    seeds: (Object.keys(msVectors.messages) as VectorName[]).map(vectorBytes),
    run: fuzzMessage,
  },
  {
    name: 'ms-turn-frames',
    seeds: [Buffer.from('0200000161', 'hex'), Buffer.from('030000000300000461626364', 'hex')],
    run: fuzzFrames,
  },
  {
    name: 'rfc4571-packets',
    seeds: [Buffer.from('0001610000000261', 'hex')],
    run: fuzzPackets,
  },
  { name: 'pseudo-tls-hello', seeds: [pseudoClientHello(Buffer.alloc(32))], run: fuzzHello },
];
