import { type Logger, pino } from 'pino';
import { redact } from './redaction.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured log: one JSON object a line. `event` is a short stable phrase without data in it; what was particular
 * goes into fields, where secrets are replaced by key name at any depth and JSON escapes whatever a peer sent.
 */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A log whose every line carries these fields too. */
  child(fields: LogFields): Log;
}

export interface LogOptions {
  /** Default `info`. */
  readonly level?: LogLevel | undefined;
  /** Fields of every line, for example `{ service: 'access' }`. */
  readonly fields?: LogFields | undefined;
  /** Gets whole lines with their newline. Default: standard output, written at once. */
  readonly write?: ((line: string) => void) | undefined;
}

export function createLog(options: LogOptions = {}): Log {
  const settings = {
    level: options.level ?? 'info',
    base: null,
    messageKey: 'event',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const write = options.write;
  const destination = write === undefined ? pino.destination({ dest: 1, sync: true }) : { write };
  return new PinoLog(pino(settings, destination), sanitise(options.fields));
}

class PinoLog implements Log {
  /** Without fields of its own. */
  readonly #root: Logger;
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #pino: Logger;

  constructor(root: Logger, fields: Readonly<Record<string, unknown>>) {
    this.#root = root;
    this.#fields = fields;
    this.#pino = root.child(fields);
  }
  debug(event: string, fields?: LogFields): void {
    this.#write('debug', event, fields);
  }
  info(event: string, fields?: LogFields): void {
    this.#write('info', event, fields);
  }
  warn(event: string, fields?: LogFields): void {
    this.#write('warn', event, fields);
  }
  error(event: string, fields?: LogFields): void {
    this.#write('error', event, fields);
  }
  child(fields: LogFields): Log {
    return new PinoLog(this.#root, { ...this.#fields, ...sanitise(fields) });
  }

  /** A name that the line has already is written once, with the nearer value: readers of JSON differ about names that come twice. */
  #write(level: LogLevel, event: string, fields: LogFields | undefined): void {
    if (!this.#pino.isLevelEnabled(level)) return;
    const own = sanitise(fields);
    if (Object.keys(own).some((name) => name in this.#fields))
      this.#root[level]({ ...this.#fields, ...own }, event);
    else this.#pino[level](own, event);
  }
}

/** Names that every line has already. */
const RESERVED = ['level', 'time', 'event'];

function sanitise(fields: LogFields | undefined): Record<string, unknown> {
  if (fields === undefined) return {};
  const copy = redact(fields) as Record<string, unknown>;
  for (const name of RESERVED) {
    if (!(name in copy)) continue;
    copy[`${name}_`] = copy[name];
    delete copy[name];
  }
  return copy;
}

const NOWHERE: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => NOWHERE,
};

export function silentLog(): Log {
  return NOWHERE;
}

export interface LogLine {
  readonly level: LogLevel;
  readonly event: string;
  readonly [field: string]: unknown;
}
export interface MemoryLog extends Log {
  /** Every line of this log and its children, parsed. */
  readonly lines: readonly LogLine[];
}

/** A log for tests: keeps its lines, all levels, in the form in which they would have been printed. */
export function memoryLog(): MemoryLog {
  const lines: LogLine[] = [];
  const log = createLog({ level: 'debug', write: (line) => lines.push(JSON.parse(line) as LogLine) });
  return {
    lines,
    debug: (event, fields) => log.debug(event, fields),
    info: (event, fields) => log.info(event, fields),
    warn: (event, fields) => log.warn(event, fields),
    error: (event, fields) => log.error(event, fields),
    child: (fields) => log.child(fields),
  };
}
