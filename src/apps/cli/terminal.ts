/** Exit statuses of `sallyport`, the same for every command. */
export const exitStatus = {
  ok: 0,
  /** The document has errors, the program did not start, or the running one refused. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** No server answers on the administration socket. */
  unreachable: 3,
  /** It answers, and not all of it is healthy. */
  unhealthy: 4,
} as const;
export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];

/** Where a command prints. Text comes without its final newline. */
export interface Terminal {
  out(text: string): void;
  error(text: string): void;
}

/** What a command gets besides its arguments. */
export interface Session {
  readonly terminal: Terminal;
  /** The status with which `sallyport` ends; 0 unless told. */
  finish(status: ExitStatus): void;
}

/** Text from a peer or a file, with nothing left in it that a terminal would obey. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
}

/** JSON that says the same to a program and nothing to a terminal: by itself it escapes the controls of ASCII only. */
export function printableJson(value: unknown): string {
  return withoutControls(JSON.stringify(value, undefined, 2) ?? 'null');
}
/** The same in one line. */
export function printableJsonLine(value: unknown): string {
  return withoutControls(JSON.stringify(value) ?? 'null');
}

function withoutControls(json: string): string {
  return json.replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, at) => {
      return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
    }).join(''),
  );
}

/** Columns as wide as their longest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  const line = (row: readonly string[]) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

/** A name of the code for people: `packetsDropped` as `packets dropped`. */
export function inWords(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
