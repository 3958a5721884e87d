import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '#kernel';
import { serverHash } from './matching.ts';
import { TextHash, TransactionTable } from './table.ts';
import { readRequest, request } from './testing/play.ts';

class Entry {
  readonly key: string;
  readonly hash: number;
  nextInTable: Entry | undefined;
  constructor(key: string, hash: number) {
    this.key = key;
    this.hash = hash;
  }
}

function find(table: TransactionTable<Entry>, key: string, hash: number): Entry | undefined {
  for (let one = table.chain(hash); one !== undefined; one = one.nextInTable) if (one.key === key) return one;
  return undefined;
}

test('the table holds what a Map would, also when it grows and when hashes meet', () => {
  const random = new SeededRandom(7);
  const texts = new TextHash();
  for (const distinct of [0xffffffff, 0x3]) {
    const hashOf = (key: string) => texts.of(key, '', '', '') & distinct;
    const table = new TransactionTable<Entry>();
    const model = new Map<string, Entry>();
    for (let step = 0; step < 4_000; step++) {
      const key = `key ${random.integer(1_500)}`;
      const known = model.get(key);
      assert.equal(find(table, key, hashOf(key)), known);
      // More come than go at first, then the other way.
      if (known === undefined && random.integer(4) < (step < 2_000 ? 3 : 1)) {
        const entry = new Entry(key, hashOf(key));
        table.add(entry);
        model.set(key, entry);
      } else if (known !== undefined) {
        table.remove(known);
        table.remove(known);
        assert.equal(known.nextInTable, undefined);
        model.delete(key);
      }
      assert.equal(table.size, model.size);
    }
    for (const [key, entry] of model) assert.equal(find(table, key, hashOf(key)), entry);
  }
});

test('texts that are cut in other places have other hashes, and each process has its own', () => {
  const texts = new TextHash();
  assert.notEqual(texts.of('ab', 'c', '', ''), texts.of('a', 'bc', '', ''));
  assert.notEqual(texts.of('', '', 'x', ''), texts.of('', '', '', 'x'));
  assert.equal(texts.of('a', 'b', 'c', 'd'), texts.of('a', 'b', 'c', 'd'));
  assert.notEqual(new TextHash().of('a', 'b', 'c', 'd'), new TextHash().of('a', 'b', 'c', 'd'));
});

test('texts that differ in little are spread over the chains of a table', () => {
  const texts = new TextHash();
  const hit = new Set<number>();
  for (let count = 0; count < 4_096; count++)
    hit.add(texts.of(`z9hG4bK${count}`, 'flow-1', 'MESSAGE', '') & 4_095);
  // Of so many drawn at random a share of 1 - 1/e is expected, 2589, and 2400 is many deviations away.
  assert.ok(hit.size > 2_400, String(hit.size));
});

test('requests of different transactions do not meet in one chain, whatever it is that they differ in', () => {
  const same = { branch: 'z9hG4bK1', sentBy: 'alice.example:5061' };
  const legacy = { branch: null };
  for (const [one, other] of [
    [same, { ...same, sentBy: 'alice.example:5062' }],
    [same, { ...same, sentBy: 'alice.example' }],
    [same, { ...same, branch: 'z9hG4bK2' }],
    [legacy, { ...legacy, cseq: 2 }],
    [legacy, { ...legacy, fromTag: 'other' }],
    [legacy, { ...legacy, uri: 'sip:carol@example.org' }],
    [legacy, { ...legacy, callId: 'other' }],
    [legacy, { branch: 'old' }],
  ]) {
    const [first, second] = [one, other].map((facts) => readRequest(request('INVITE', facts)));
    assert.ok(first !== undefined && second !== undefined);
    const [hash, otherHash] = [first, second].map((read) => serverHash(read, 'INVITE', 'flow-1'));
    assert.notEqual(hash, otherHash, JSON.stringify(other));
  }
});
