import type { Content, ContentRefusal, OutsidePlace } from '#platform/psom-link';
import type { RequestHead, UpgradeRefusal } from '#platform/web-socket';
import type { Answer } from './http-session.ts';
import type { SiteFile } from './site.ts';

/** What a page of this door may connect to, and what clients are told of where to sign in. */
export interface PageFacts {
  readonly place: OutsidePlace;
  /** `wss://…/` of the Access Edge. */
  readonly signalling: string;
  /** Origins of WebSockets (`wss://host:port`) of other doors that a page of this one may connect to. */
  readonly otherPlaces: readonly string[];
}

export function originOf(scheme: 'https' | 'wss', { host, port }: OutsidePlace): string {
  return port === 443 ? `${scheme}://${host}` : `${scheme}://${host}:${port}`;
}

/** Header fields of every answer: nothing here is for another site's page, frame or memory. */
const ALWAYS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;
const NOTHING = "default-src 'none'; frame-ancestors 'none'";

function pagePolicy({ place, signalling, otherPlaces }: PageFacts): string {
  const connect = [...new Set([originOf('wss', place), new URL(signalling).origin, ...otherPlaces])];
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    `connect-src 'self' ${connect.join(' ')}`,
    "worker-src 'self' blob:",
    "font-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

export function fileAnswer(file: SiteFile, request: RequestHead, facts: PageFacts): Answer {
  const headers = {
    ...ALWAYS,
    'Content-Security-Policy': pagePolicy(facts),
    'Cache-Control': file.lasting ? 'public, max-age=31536000, immutable' : 'no-cache',
    ETag: file.etag,
    Vary: 'Accept-Encoding',
  };
  if (request.headers['if-none-match'] === file.etag) {
    return { status: '304 Not Modified', headers, body: Buffer.alloc(0), length: 0 };
  }
  const accepted = (request.headers['accept-encoding'] ?? '').split(',').map((one) => one.trim());
  const gzipped = accepted.includes('gzip') ? file.gzipped : undefined;
  const body = gzipped ?? file.bytes;
  const encoding: Record<string, string> = gzipped === undefined ? {} : { 'Content-Encoding': 'gzip' };
  return {
    status: '200 OK',
    headers: { ...headers, 'Content-Type': file.type, ...encoding },
    body,
    length: body.length,
  };
}

export function configurationAnswer({ signalling }: PageFacts): Answer {
  const body = Buffer.from(JSON.stringify({ version: 1, signalling }));
  const headers = {
    ...ALWAYS,
    'Content-Security-Policy': NOTHING,
    'Content-Type': 'application/json',
    'Cache-Control': 'no-cache',
  };
  return { status: '200 OK', headers, body, length: body.length };
}

/** Media that a page may show; everything else is saved, never opened in the place of this origin. */
const SHOWN: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp']);

export function contentAnswer({ type, bytes, name, body }: Content): Answer {
  const disposition = SHOWN.has(type) ? 'inline' : 'attachment';
  const headers = {
    ...ALWAYS,
    'Content-Security-Policy': `sandbox; ${NOTHING}`,
    'Content-Type': type,
    'Content-Disposition': `${disposition}; filename="${asciiName(name)}"; filename*=UTF-8''${extendedName(name)}`,
    'Cache-Control': 'private, max-age=3600',
  };
  return { status: '200 OK', headers, body, length: bytes };
}
function asciiName(name: string): string {
  return name.replace(/[^\w .()-]/g, '_').slice(0, 100) || 'file';
}
/** RFC 8187 §3.2. */
function extendedName(name: string): string {
  const percent = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(name.toWellFormed()).replace(/['()*]/g, percent);
}

const CONTENT_REFUSED: Readonly<Record<ContentRefusal, string>> = {
  'not-allowed': '403 Forbidden',
  'not-found': '404 Not Found',
  busy: '503 Service Unavailable',
};
export function contentRefused(reason: ContentRefusal): Answer {
  return textAnswer(CONTENT_REFUSED[reason]);
}

const REFUSED: Readonly<Record<UpgradeRefusal, string>> = {
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
export function refusedAnswer(reason: UpgradeRefusal): Answer {
  return { ...textAnswer(REFUSED[reason]), close: true };
}

export function textAnswer(
  status: string,
  text = status,
  more: Readonly<Record<string, string>> = {},
): Answer {
  const body = Buffer.from(`${text}\n`);
  const headers = {
    ...ALWAYS,
    'Content-Security-Policy': NOTHING,
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
    ...more,
  };
  return { status, headers, body, length: body.length };
}
