import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Negotiation, negotiate } from './index.ts';

const WORDS: Readonly<Record<string, Negotiation>> = {
  Req: 'required',
  Opt: 'optional',
  No: 'not-supported',
};

/** TLS, SASL, dialback, state, methods. */
const table = `
Req Req T warning sasl-external
Req Req F valid sasl-external
Opt Req T warning sasl-external,tls-dialback,tcp-dialback
Opt Req F warning sasl-external
No Req T warning tcp-dialback
No Req F refused
Req Opt T valid sasl-external,tls-dialback
Req Opt F valid sasl-external
Opt Opt T warning sasl-external,tls-dialback,tcp-dialback
Opt Opt F warning sasl-external
No Opt T warning tcp-dialback
No Opt F refused
Req No T valid tls-dialback
Req No F refused
Opt No T valid tls-dialback,tcp-dialback
Opt No F refused
No No T valid tcp-dialback
No No F refused`;

test('all 18 combinations of TLS, SASL and dialback', () => {
  const rows = table.trim().split('\n');
  assert.equal(rows.length, 18);
  for (const row of rows) {
    const [tls = '', sasl = '', dialback, state, methods = ''] = row.split(' ');
    const outcome = negotiate({ tls: WORDS[tls]!, sasl: WORDS[sasl]!, dialback: dialback === 'T' });
    assert.equal(outcome.state, state, row);
    assert.equal(outcome.methods.join(), methods, row);
    assert.equal(outcome.why === undefined, state === 'valid', row);
  }
});
