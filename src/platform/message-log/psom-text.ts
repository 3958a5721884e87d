import type { EventField, EventKeys } from '#protocols/log-query';
import {
  decodeObserved,
  decodeOperation,
  meetingInterfaces,
  type Observed,
  parameterTexts,
} from '#protocols/psom';
import type { MessageText } from './stun-text.ts';
import { TAKEN_OUT } from './taken-out.ts';
import { traceOf } from './trace-id.ts';

const OPERATIONS: Readonly<Record<number, string>> = {
  1: 'CONNECT',
  2: 'DISCONNECT',
  3: 'CALL',
  4: 'PING',
  5: 'PONG',
};
const LENGTH_BYTES = 2;
const CALL_BYTES = 9;
/** Parameters by which somebody else could go on in a participant's name, or read a file. */
const SECRET = /token|^key$|^iv$/i;
/** What is told of one text of a participant, in characters. */
const MOST_TEXT = 400;
const interfaces = new Map(meetingInterfaces.map((declared) => [declared.name, declared]));

/** One participant of one conference, over connections and edges. */
export function participantTrace(conference: string, participant: number): string {
  return traceOf(`psom ${conference} ${participant}`);
}

/** A PSOM operation: on what, and which; what is in it only if somebody asks for bodies, and of tokens and keys nothing. */
export function psomText(
  bytes: Uint8Array,
  direction: 'in' | 'out',
  bodies: boolean,
): (MessageText & { readonly body?: string }) | undefined {
  const observed = decodeObserved(bytes);
  const operation = OPERATIONS[observed?.frame[LENGTH_BYTES] ?? 0];
  if (observed === undefined || operation === undefined) return undefined;
  const { conference, participant, object, interface: declared, method, frame } = observed;
  const total = LENGTH_BYTES + (((frame[0] ?? 0) << 8) | (frame[1] ?? 0));
  const called = method === '' ? declared : `${declared === '' ? '' : `${declared}.`}${method}`;
  const lines = [[operation, called].filter((word) => word !== '').join(' ')];
  if (object !== '') lines.push(`object: ${object}`, `proxy: ${proxyOf(frame)}`);
  lines.push(`octets: ${total}`);
  const body = bodies ? bodyOf(observed, operation, direction) : undefined;
  return {
    text: lines.join('\n'),
    ...(body === undefined ? {} : { body }),
    fields: { operation, ...fieldsOf(observed), octets: total, participant },
    keys: keysOf(conference, participant),
  };
}

function fieldsOf({
  object,
  interface: declared,
  method,
  frame,
}: Observed): Readonly<Record<string, EventField>> {
  const said = decodeOperation(frame.subarray(LENGTH_BYTES));
  return {
    ...(object === '' ? {} : { object, proxy: proxyOf(frame) }),
    ...(declared === '' ? {} : { interface: declared }),
    ...(method === '' ? {} : { method }),
    ...(said?.kind === 'disconnect' ? { reason: said.reason } : {}),
  };
}
function keysOf(conference: string, participant: number): EventKeys {
  return { conference: [conference], trace: [participantTrace(conference, participant)] };
}

/** CONNECT has the parent before its own number. */
function proxyOf(frame: Uint8Array): number {
  const at = frame[LENGTH_BYTES] === 1 ? 7 : 3;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  return at + 4 <= frame.length ? view.getUint32(at) : 0;
}

function bodyOf(observed: Observed, operation: string, direction: 'in' | 'out'): string | undefined {
  const { interface: declared, method, frame } = observed;
  if (operation === 'CONNECT') {
    const said = decodeOperation(frame.subarray(LENGTH_BYTES));
    return said?.kind === 'connect' ? `name: ${said.name.slice(0, MOST_TEXT)}` : undefined;
  }
  const side = direction === 'in' ? 'server' : 'client';
  const known = interfaces.get(declared)?.numbered[side].byName.get(method);
  if (operation !== 'CALL' || known === undefined) return undefined;
  const texts = parameterTexts(frame.subarray(CALL_BYTES), known.types, MOST_TEXT);
  return known.parameters
    .map((parameter, index) => {
      const name = parameter.slice(parameter.indexOf(' ') + 1);
      return `${name}: ${SECRET.test(name) ? TAKEN_OUT : (texts[index] ?? '[cut]')}`;
    })
    .join('\n');
}
