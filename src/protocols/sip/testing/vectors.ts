import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One message of a file under spec/vectors/sip; its first lines describe the format. For tests only. */
interface Vector {
  readonly name: string;
  readonly expectation: string;
  readonly bytes: Buffer;
}

export function readVectors(file: string): Vector[] {
  const path = join(import.meta.dirname, '../../../../spec/vectors/sip', file);
  const parts = readFileSync(path, 'utf8').split(/^=== /m).slice(1);
  return parts.map((part) => {
    const [title = '', ...lines] = part.split('\n');
    const [name = '', ...expectation] = title.split(' ');
    return { name, expectation: expectation.join(' '), bytes: octets(lines.join('\r\n')) };
  });
}

function octets(text: string): Buffer {
  const binary = Buffer.from(text).toString('latin1');
  const resolved = binary.replace(/\{\{([0-9A-F]{2})\}\}/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(resolved, 'latin1');
}
