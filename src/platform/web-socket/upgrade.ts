import { err, ok, type Result } from '#kernel';

/** Why a connection that spoke HTTP became no WebSocket; closed, for metrics. */
export const upgradeRefusals = [
  /** No HTTP/1.1 request that could be read. */
  'bad-request',
  /** Its head is longer, or has more fields, than a head may. */
  'head-too-large',
  /** The head was not complete in time. */
  'head-late',
  /** A browser, or a probe, that wants something other than a WebSocket. */
  'not-upgrade',
  'method',
  'version',
  'subprotocol',
  /** The page that asks is not of an origin that the document lists. */
  'origin',
  /** Nothing is served by WebSocket here. */
  'off',
  /** The client left before the head was complete. */
  'gone',
] as const;
export type UpgradeRefusal = (typeof upgradeRefusals)[number];

const MOST_FIELDS = 64;
const HEAD_END = Buffer.from('\r\n\r\n');
/** RFC 9110 §5.5: no control character but the tab. */
const TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The head of an HTTP/1.1 request: names in lower case, the values of repeated fields joined (RFC 9110 §5.3). */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What arrived behind the head. */
  readonly rest: Buffer;
}

/**
 * The head that `bytes` begins with; undefined while it is not complete. Strict: one space, CRLF, no folding, no
 * control characters, and no body, for the only request that is answered has none.
 */
export function readHead(bytes: Buffer, most: number): Result<RequestHead | undefined, UpgradeRefusal> {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return bytes.length > most ? err('head-too-large') : ok(undefined);
  if (end > most) return err('head-too-large');
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const request = /^([A-Z]{1,16}) ([\x21-\x7e]{1,2048}) HTTP\/1\.1$/.exec(first);
  if (request === null) return err('bad-request');
  if (lines.length > MOST_FIELDS) return err('head-too-large');
  const headers = readFields(lines);
  if (headers === undefined) return err('bad-request');
  if (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0')
    return err('bad-request');
  const [, method = '', target = ''] = request;
  return ok({ method, target, headers, rest: bytes.subarray(end + 4) });
}

function readFields(lines: readonly string[]): Record<string, string> | undefined {
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
    if (!TOKEN.test(name) || !TEXT.test(value)) return undefined;
    const lower = name.toLowerCase();
    const before = headers[lower];
    // RFC 9112 §3.2: two of these are two opinions of where a request is going.
    if (before !== undefined && (lower === 'host' || lower === 'origin')) return undefined;
    headers[lower] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}

export interface UpgradePolicy {
  /** The subprotocol that is spoken (RFC 6455 §1.9), for example `sip`. */
  readonly protocol: string;
  /** Asked with the origin of the page; who sends none is no browser, and is not asked. */
  readonly allowsOrigin: (origin: string) => boolean;
}

/** RFC 6455 §4.2.1, with the subprotocol and the origin that RFC 7118 §4 and the document ask for. */
export function checkUpgrade(head: RequestHead, policy: UpgradePolicy): UpgradeRefusal | undefined {
  const { headers } = head;
  if (head.method !== 'GET') return 'method';
  if (headers.host === undefined || headers.host === '') return 'bad-request';
  if (!tokens(headers.upgrade).includes('websocket') || !tokens(headers.connection).includes('upgrade'))
    return 'not-upgrade';
  if (headers['sec-websocket-version'] !== '13') return 'version';
  if (!/^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '')) return 'bad-request';
  if (!tokens(headers['sec-websocket-protocol']).includes(policy.protocol)) return 'subprotocol';
  if (headers.origin !== undefined && !policy.allowsOrigin(headers.origin.toLowerCase())) return 'origin';
  return undefined;
}

function tokens(value = ''): string[] {
  return value.split(',').map((token) => token.trim().toLowerCase());
}

const ANSWERS: Readonly<Record<UpgradeRefusal, string>> = {
  'bad-request': '400 Bad Request',
  'head-too-large': '431 Request Header Fields Too Large',
  'head-late': '408 Request Timeout',
  'not-upgrade': '426 Upgrade Required',
  method: '405 Method Not Allowed',
  version: '426 Upgrade Required',
  subprotocol: '400 Bad Request',
  origin: '403 Forbidden',
  off: '404 Not Found',
  gone: '400 Bad Request',
};

/** A small answer that says no more than it must, after which the connection is closed. */
export function refusalAnswer(reason: UpgradeRefusal, protocol: string): Buffer {
  const status = ANSWERS[reason];
  const body = `${status}\n`;
  const more: string[] = [];
  if (status.startsWith('426')) more.push('Upgrade: websocket', 'Sec-WebSocket-Version: 13');
  if (status.startsWith('405')) more.push('Allow: GET');
  if (reason === 'subprotocol') more.push(`Sec-WebSocket-Protocol: ${protocol}`);
  const lines = [
    `HTTP/1.1 ${status}`,
    `Connection: ${more.length > 0 && status.startsWith('426') ? 'Upgrade, close' : 'close'}`,
    'Content-Type: text/plain',
    `Content-Length: ${body.length}`,
    ...more,
    '',
    body,
  ];
  return Buffer.from(lines.join('\r\n'), 'latin1');
}
