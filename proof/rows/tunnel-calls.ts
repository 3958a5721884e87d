import assert from 'node:assert/strict';
import { addresses, type EdgeName, type Family, ofFamily } from '../network/addresses.ts';
import { until } from '../network/command.ts';
import type { Perimeter } from '../programs/perimeter.ts';

/** Calls between alice, outside at one of our edges, and dora, inside the other organisation. */
export interface TunnelCalls {
  readonly edge: EdgeName;
  readonly family: Family;
  readonly from: 'alice' | 'dora';
  readonly count: number;
  /** Whether the first words are said again until they are heard: they may be lost before the edges know one another. */
  readonly patient: boolean;
}

/** How many calls are made at a time. */
const AT_ONCE = 10;
const SAY_AGAIN_MS = 200;
/** Longer than an edge leaves another alone that did not answer in time, on a machine with too much to do. */
const PATIENT_MS = 90_000;

/** Plays them; throws unless each was heard both ways. */
export async function playTunnelCalls(perimeter: Perimeter, calls: TunnelCalls): Promise<void> {
  const { edge, family, from, count } = calls;
  for (let first = 0; first < count; first += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, n) => first + n);
    await Promise.all(
      some.map((n) => playCall(perimeter, `call ${n} from ${from}, ${edge}, IPv${family}`, calls)),
    );
  }
}

async function playCall(
  perimeter: Perimeter,
  name: string,
  { edge, family, from, patient }: TunnelCalls,
): Promise<void> {
  const alice = { actor: perimeter.actor('alice'), relayed: await openAlice(perimeter, name, edge, family) };
  const dora = { actor: perimeter.actor('dora'), relayed: await openDora(perimeter, name, family) };
  await alice.actor.call('connectRelay', { name, ...dora.relayed });
  await dora.actor.call('connectRelay', { name, ...alice.relayed });
  const [caller, called] = from === 'alice' ? [alice, dora] : [dora, alice];
  for (const [speaker, listener, text] of [
    [caller, called, `${name}: there`],
    [called, caller, `${name}: and back`],
  ] as const) {
    let said = Number.NEGATIVE_INFINITY;
    const look = async () => {
      const isTime = patient ? performance.now() - said > SAY_AGAIN_MS : said < 0;
      if (isTime) {
        said = performance.now();
        await speaker.actor.call('sendByRelay', { name, text });
      }
      return (await listener.actor.call('receivedByRelay', { name })).includes(text) || undefined;
    };
    await until(`"${text}" was heard`, look, patient ? PATIENT_MS : undefined);
  }
  await Promise.all([alice, dora].map(({ actor }) => actor.call('closeRelay', { name })));
}

async function openAlice(perimeter: Perimeter, name: string, edge: EdgeName, family: Family) {
  const address = ofFamily(addresses[edge].av, family);
  const { username, password } = perimeter.files.relayCredential(name);
  const server = { address, port: 3478, username, password };
  const localAddress = ofFamily(addresses.alice, family);
  const relayed = await perimeter.actor('alice').call('openRelay', { name, server, localAddress });
  assert.equal(relayed.address, address);
  return relayed;
}

/** Dora asks at the inner face, and is reached at the outer address. */
async function openDora(perimeter: Perimeter, name: string, family: Family) {
  const { username, password } = perimeter.files.relayCredential(name, 'foreign');
  const server = {
    address: ofFamily(addresses.foreignEdge.internal, family),
    port: 3478,
    username,
    password,
  };
  const localAddress = ofFamily(addresses.dora, family);
  const relayed = await perimeter.actor('dora').call('openRelay', { name, server, localAddress });
  assert.equal(relayed.address, ofFamily(addresses.foreignEdge.av, family));
  return relayed;
}
