import {
  decode,
  encode,
  type Packet,
  type Answer as PacketAnswer,
  type Question as PacketQuestion,
  RECURSION_DESIRED,
} from 'dns-packet';
import { err, ok, type Random, type Result } from '#kernel';
import { type Question, questionName, type RecordType, recordTypes } from './question.ts';

/** Bounds of what is read. */
export interface MessageLimits {
  /** Records of all sections together; a message that says it has more is not read. */
  readonly records: number;
}

/** A question as it stands on the wire: its id and its name in random upper and lower case. */
export interface SentQuestion {
  readonly id: number;
  /** The name with the case that the answer has to repeat. */
  readonly spelled: string;
  readonly type: RecordType;
}

/** Why bytes are not the answer to our question; closed, for metrics. */
export const answerDrops = [
  /** Not a DNS message, cut, or more records than the limit. */
  'unreadable',
  /** A query, or another opcode. */
  'not-a-response',
  'wrong-id',
  /** Another name, type or class was asked. */
  'wrong-question',
  /** The right name in other letters' case: a forgery, or a resolver that rewrites names. */
  'wrong-case',
  /** From an address or port that was not asked. */
  'wrong-source',
] as const;

export type AnswerDrop = (typeof answerDrops)[number];

/** One record of the answer section that can matter. */
export interface AnswerRecord {
  readonly owner: string;
  readonly type: RecordType | 'CNAME';
  /** Seconds; above 2^31 - 1 means zero (RFC 2181 §8). */
  readonly ttl: number;
  readonly data: unknown;
}

export interface ResponseMessage {
  /** 0 NOERROR, 1 FORMERR, 2 SERVFAIL, 3 NXDOMAIN, 4 NOTIMP, 5 REFUSED (RFC 1035 §4.1.1). */
  readonly rcode: number;
  readonly truncated: boolean;
  readonly answers: readonly AnswerRecord[];
  /** Seconds that an absence may be kept (RFC 2308 §5); undefined without SOA record. */
  readonly absenceTtl: number | undefined;
  /** It points to other name servers instead of answering: not a resolver for us. */
  readonly referral: boolean;
}

const HEADER_BYTES = 12;
const RESPONSE = 0x8000;
const OPCODE = 0x7800;
const TRUNCATED = 0x0200;
const LONGEST_TTL = 2 ** 31 - 1;
/** EDNS buffer size that passes every path unfragmented (RFC 6891 §6.2.5, the value of DNS flag day 2020). */
export const UDP_BYTES = 1232;

/** Gives a question its id and its case, both unpredictable. */
export function spellQuestion(question: Question, random: Random): SentQuestion {
  const bytes = random.bytes(2 + question.name.length);
  let spelled = '';
  for (const [index, letter] of [...question.name].entries())
    spelled += (bytes[2 + index]! & 1) === 0 ? letter : letter.toUpperCase();
  return { id: (bytes[0]! << 8) | bytes[1]!, spelled, type: question.type };
}

/** The bytes of a question (RFC 1035 §4.1), with EDNS (RFC 6891) unless the server does not know it. */
export function encodeQuestion(sent: SentQuestion, edns: boolean): Buffer {
  const additionals: PacketAnswer[] = edns
    ? [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: UDP_BYTES,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ]
    : [];
  return encode({
    type: 'query',
    id: sent.id,
    flags: RECURSION_DESIRED,
    questions: [{ type: sent.type, class: 'IN', name: sent.spelled }],
    additionals,
  });
}

/** Reads bytes as the answer to this question, or says why they are not. */
export function decodeResponse(
  bytes: Buffer,
  sent: SentQuestion,
  limits: MessageLimits,
): Result<ResponseMessage, AnswerDrop> {
  if (bytes.length < HEADER_BYTES) return err('unreadable');
  const flags = bytes.readUInt16BE(2);
  if ((flags & RESPONSE) === 0 || (flags & OPCODE) !== 0) return err('not-a-response');
  if (bytes.readUInt16BE(0) !== sent.id) return err('wrong-id');
  const records = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
  if (bytes.readUInt16BE(4) !== 1 || records > limits.records) return err('unreadable');
  const truncated = (flags & TRUNCATED) !== 0;
  const packet = readPacket(bytes, truncated);
  if (packet === undefined) return err('unreadable');
  const drop = questionDrop(packet.questions?.[0], sent);
  return drop === undefined ? ok(responseOf(packet, flags & 0x0f, truncated)) : err(drop);
}

/** A truncated answer may end anywhere after its question: its records are not used anyway (RFC 2181 §9). */
function readPacket(bytes: Buffer, truncated: boolean): Packet | undefined {
  const readable = truncated ? Buffer.from(bytes) : bytes;
  if (truncated) readable.fill(0, 6, HEADER_BYTES);
  try {
    return decode(readable);
  } catch {
    return undefined; // the library throws on whatever is malformed
  }
}

function questionDrop(asked: PacketQuestion | undefined, sent: SentQuestion): AnswerDrop | undefined {
  if (asked === undefined || asked.type !== sent.type || asked.class !== 'IN') return 'wrong-question';
  if (asked.name === sent.spelled) return undefined;
  return asked.name.toLowerCase() === sent.spelled.toLowerCase() ? 'wrong-case' : 'wrong-question';
}

function responseOf(packet: Packet, rcode: number, truncated: boolean): ResponseMessage {
  const authorities = packet.authorities ?? [];
  return {
    rcode,
    truncated,
    answers: (packet.answers ?? []).flatMap(answerRecord),
    absenceTtl: absenceTtl(authorities),
    referral: authorities.length > 0 && authorities.every(({ type }) => type === 'NS'),
  };
}

function answerRecord(record: PacketAnswer): AnswerRecord[] {
  if (record.type !== 'CNAME' && !isRecordType(record.type)) return [];
  const {
    type,
    data,
    ttl = 0,
    class: recordClass,
  } = record as {
    type: AnswerRecord['type'];
    data: unknown;
    ttl?: number;
    class?: string;
  };
  const owner = questionName(record.name);
  if (owner === undefined || (recordClass ?? 'IN') !== 'IN') return [];
  return [{ owner, type, ttl: boundedTtl(ttl), data }];
}

function isRecordType(type: string): type is RecordType {
  return (recordTypes as readonly string[]).includes(type);
}

function absenceTtl(authorities: readonly PacketAnswer[]): number | undefined {
  for (const record of authorities)
    if (record.type === 'SOA')
      return Math.min(boundedTtl(record.ttl ?? 0), boundedTtl(record.data.minimum ?? 0));
  return undefined;
}

function boundedTtl(ttl: number): number {
  return ttl > LONGEST_TTL ? 0 : ttl;
}
