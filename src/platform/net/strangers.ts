import { type Log, OncePerKey } from '#platform/telemetry';
import type { Connection } from './connection.ts';

/** Subjects that are remembered; each is logged once. */
const REMEMBERED = 1000;

export interface Stranger {
  /** Of its certificate. */
  readonly subject: string;
  readonly address: string;
}

/** Logs peers whose certificates are verified and who are none of those that a service serves. */
export class Strangers {
  readonly #log: Log;
  readonly #code: string;
  readonly #message: string;
  readonly #told = new OncePerKey(REMEMBERED);

  /** @param message what the peer is not, as in "peer is no log controller" */
  constructor(log: Log, code: string, message: string) {
    this.#log = log;
    this.#code = code;
    this.#message = message;
  }
  /** @returns whom the log was told of; undefined: it had been before */
  tell({ tls, remote }: Connection): Stranger | undefined {
    const subject = tls?.peer?.subject ?? 'unknown';
    if (!this.#told.first(subject)) return undefined;
    const stranger = { subject, address: remote.address };
    this.#log.warn(this.#message, { code: this.#code, ...stranger });
    return stranger;
  }
}
