import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { encodeOperation } from '#protocols/psom';
import { EdgeBench, HOST } from './testing/bench.ts';
import { type Inside, Outside, TestService, webSocket } from './testing/ends.ts';

const BYTES = 300_000;

/** What one end says: bytes that no other end says, cut into pieces as awkward as they may be. */
class Speech {
  readonly #hash = createHash('sha256');
  #left = BYTES;
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }
  get over(): boolean {
    return this.#left === 0;
  }
  /** Of what was said. */
  get digest(): string {
    return this.#hash.copy().digest('hex');
  }
  next(): Buffer {
    const most = this.#random() % 8 === 0 ? 90_000 : 700;
    const piece = Buffer.alloc(Math.min(this.#left, 1 + (this.#random() % most)));
    for (let at = 0; at < piece.length; at++) piece[at] = this.#random();
    this.#left -= piece.length;
    this.#hash.update(piece);
    return piece;
  }
  #random(): number {
    this.#state = (Math.imul(this.#state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return this.#state >>> 8;
  }
}

/** What one end has heard. */
class Heard {
  readonly #hash = createHash('sha256');
  #bytes = 0;
  readonly push = (chunk: Uint8Array): void => {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  };
  get all(): boolean {
    return this.#bytes === BYTES;
  }
  get digest(): string {
    return this.#hash.copy().digest('hex');
  }
}

/** A participant at both ends. */
interface Pair {
  readonly inside: Inside;
  readonly write: (bytes: Buffer) => void;
  readonly inward: { readonly said: Speech; readonly heard: Heard };
  readonly outward: { readonly said: Speech; readonly heard: Heard };
}

function pairOf(number: number, inside: Inside, write: Pair['write']): Pair {
  const inward = { said: new Speech(2 * number + 1), heard: new Heard() };
  inside.connection.onData = inward.heard.push;
  return { inside, write, inward, outward: { said: new Speech(2 * number + 2), heard: new Heard() } };
}

async function byTls(t: TestContext, bench: EdgeBench, service: TestService, number: number): Promise<Pair> {
  const { socket, answer } = await Outside.join(t, bench, service.token({ participant: number }));
  assert.equal(answer, 'joined');
  const pair = pairOf(number, service.participants.at(-1)!, (bytes) => socket.write(bytes));
  socket.removeAllListeners('data').on('data', pair.outward.heard.push);
  return pair;
}
async function byPage(t: TestContext, bench: EdgeBench, service: TestService, number: number): Promise<Pair> {
  const page = webSocket(bench, `https://${HOST}`);
  t.after(() => page.terminate());
  await once(page, 'open');
  const answered = once(page, 'message');
  const token = service.token({ participant: number });
  page.send(encodeOperation({ kind: 'join', version: 1, show: 'conference', token }));
  await answered;
  const pair = pairOf(number, service.participants.at(-1)!, (bytes) => page.send(bytes));
  page.on('message', pair.outward.heard.push);
  return pair;
}

test('what many ends say at once, each hears as it was said and nothing of another, also when some leave meanwhile', async (t) => {
  const bench = await EdgeBench.start(t, (document) => {
    const { limits } = document.policy.webConferencing;
    document.policy.webConferencing.limits = {
      ...limits,
      bytesPerSecond: 100_000_000,
      bytesWaiting: 8_388_608,
    };
  });
  const service = await TestService.start(t, [bench]);
  await service.linked(bench);
  const pairs: Pair[] = [];
  for (let number = 0; number < 8; number++)
    pairs.push(await (number < 6 ? byTls : byPage)(t, bench, service, number));
  const leaving = await Outside.join(t, bench, service.token({ participant: 99 }));
  for (let turn = 0; pairs.some(({ inward, outward }) => !inward.said.over || !outward.said.over); turn++) {
    for (const { inside, write, inward, outward } of pairs) {
      if (!inward.said.over) write(inward.said.next());
      if (!outward.said.over) inside.connection.write(outward.said.next());
    }
    if (turn === 10) leaving.socket.destroy();
    else if (turn < 10) leaving.socket.write(Buffer.alloc(30_000, turn));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => pairs.every(({ inward, outward }) => inward.heard.all && outward.heard.all));
  for (const [number, { inward, outward }] of pairs.entries()) {
    assert.equal(inward.heard.digest, inward.said.digest, `inward of ${number}`);
    assert.equal(outward.heard.digest, outward.said.digest, `outward of ${number}`);
  }
});
