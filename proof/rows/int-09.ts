import { controllerAt, mark, proven } from './logging.ts';
import type { RowProof } from './row.ts';

/** Control: a host with the certificate of a log controller sees what runs, and has both edges store a marker. */
export const row: RowProof = {
  id: 'int-09',
  async run(perimeter) {
    await mark(perimeter, 'proof-control');
    return proven(`openssl at ${controllerAt} had both edges store a marker; others got no answer`);
  },
};
