import type { IncomingHttpHeaders } from 'node:http2';
import type { Readable } from 'node:stream';
import { err, ok, type Result } from '#kernel';

/** A file of a meeting, asked for by whoever shows a content token. */
export interface ContentRequest {
  /** As it came: whoever serves the file opens it. */
  readonly token: string;
  /** SHA-256 of the file, 64 characters of 0-9 and a-f. */
  readonly hash: string;
}
export interface Content {
  /** Media type. */
  readonly type: string;
  readonly bytes: number;
  /** What it is saved as; no path. */
  readonly name: string;
  /** Read at the pace of whoever takes it; destroyed by them when they go. */
  readonly body: Readable;
}
export type ContentRefusal = 'not-allowed' | 'not-found' | 'busy';
export type ContentAnswer = Result<Content, ContentRefusal>;

export const CONTENT_PATH = /^\/content\/([A-Za-z0-9_-]{1,512})\/([0-9a-f]{64})$/;
const STATUS = { 'not-allowed': 403, 'not-found': 404, busy: 503 } as const;
const TYPE = /^[a-z0-9.+-]{1,64}\/[a-z0-9.+-]{1,64}$/;
const MOST_BYTES = 2 ** 40;
const MOST_NAME = 1024;

export function contentHeaders(answer: ContentAnswer): Record<string, string | number> {
  if (!answer.ok) return { ':status': STATUS[answer.error] };
  const { type, bytes, name } = answer.value;
  return {
    ':status': 200,
    'content-type': type,
    'content-length': bytes,
    'sallyport-name': encodeURIComponent(name.toWellFormed()),
  };
}

/** What a service's headers say, with the stream behind them; a service that says anything else is busy. */
export function readContent(
  headers: IncomingHttpHeaders & { ':status'?: number | undefined },
  body: Readable,
): ContentAnswer {
  const { ':status': status, 'content-type': type = '', 'content-length': length = '' } = headers;
  if (status === STATUS['not-allowed']) return err('not-allowed');
  if (status === STATUS['not-found']) return err('not-found');
  const name = decoded(headers['sallyport-name']);
  const bytes = Number(length);
  if (status !== 200 || !TYPE.test(type) || !/^\d{1,13}$/.test(length) || bytes > MOST_BYTES)
    return err('busy');
  return name === undefined ? err('busy') : ok({ type, bytes, name, body });
}

function decoded(name: string | string[] | undefined): string | undefined {
  if (typeof name !== 'string' || name.length > MOST_NAME) return undefined;
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}
