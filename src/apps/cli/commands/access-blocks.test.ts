import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Perimeter } from '../../lab/testing/perimeter.ts';
import { SoftphoneUser } from '../../lab/testing/softphone-user.ts';
import { sallyport } from '../testing/printed.ts';

/*
 * Real wrong passwords, through a running edge to a running front end, and what its operator is shown.
 */
const NETWORK = 69;
let perimeter: Perimeter;

before(async () => {
  perimeter = await Perimeter.prepare({
    network: NETWORK,
    frontEnd: true,
    change: ({ policy }) => {
      policy.remoteAccess = { guard: { failuresPerAccount: 3, failuresPerSource: 5, slowMilliseconds: 0 } };
    },
  });
  await perimeter.start();
});
after(() => perimeter?.stop());

const run = (...args: string[]) => sallyport('access', ...args, '--socket', perimeter.files.edgeSocket);

/** Signs in; a wrong password, and a source that is refused, reject. */
async function signsIn(person: 'alice' | 'carol', password?: string): Promise<void> {
  const user = await SoftphoneUser.connect({
    ...{ perimeter, person, tone: 440 },
    ...(password === undefined ? {} : { password }),
  });
  try {
    await user.signIn();
  } finally {
    await user.close();
  }
}
async function guesses(person: 'alice' | 'carol', times: number): Promise<void> {
  for (let time = 0; time < times; time++) await assert.rejects(signsIn(person, 'not the password'));
}

test('access blocks: shows who is refused, for whom, after how many failures and for how long; access unblock lifts it', async () => {
  const { alice, carol } = perimeter.plan.clients;
  assert.equal((await run('blocks')).out, 'no source is refused\n');
  await guesses('alice', 3);
  const shown = await run('blocks');
  const [head = '', row = '', end] = shown.out.split('\n');
  assert.match(head, /^SOURCE +ACCOUNT +FAILURES +SECONDS LEFT$/);
  const cells = row.split(/ {2,}/);
  assert.deepEqual(cells.slice(0, 3), [alice, `alice@${perimeter.plan.domain}`, '3']);
  assert.ok(Number(cells[3]) > 0 && Number(cells[3]) <= 600, row);
  assert.equal(end, '');
  // The right password is too late now, and somebody else's place is not touched.
  await assert.rejects(signsIn('alice'));
  await signsIn('carol');
  const json = JSON.parse((await run('blocks', '--json')).out) as {
    blocks: { source: string; account: string }[];
  };
  assert.deepEqual(
    json.blocks.map(({ source, account }) => [source, account]),
    [[alice, `alice@${perimeter.plan.domain}`]],
  );
  assert.equal((await run('unblock', carol)).out, '0 lifted\n');
  assert.equal((await run('unblock', alice)).out, '1 lifted\n');
  assert.equal((await run('blocks')).out, 'no source is refused\n');
  await signsIn('alice');
});
