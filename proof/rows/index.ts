import { readdirSync } from 'node:fs';
import type { RowProof } from './row.ts';

const FILE = /^([a-z]+-\d\d)\.ts$/;

/** The proofs of all rows by id: one file each in this folder, named after the row. */
export async function rowProofs(): Promise<ReadonlyMap<string, RowProof>> {
  const files = readdirSync(import.meta.dirname).filter((file) => FILE.test(file));
  const proofs = await Promise.all(
    files.map(async (file): Promise<[string, RowProof]> => {
      const { row } = (await import(`./${file}`)) as { row: RowProof };
      if (`${row.id}.ts` !== file) throw new Error(`proof/rows/${file} is about ${row.id}`);
      return [row.id, row];
    }),
  );
  return new Map(proofs);
}
