import { z } from 'zod';
import { FailureError, failure } from '#kernel';
import { type VerbHandler, verb } from '#platform/service';
import { parseAor } from './account.ts';
import { presenceVerbs } from './presence-verbs.ts';
import type { Running } from './running.ts';

const user = z.strictObject({ address: z.string().max(320) });

/** What an operator may ask of the front end. */
export function frontEndVerbs(
  running: () => Running | undefined,
  wall: () => number,
): Readonly<Record<string, VerbHandler>> {
  const directory = () => {
    const current = running();
    if (current === undefined) throw new FailureError(failure('SLP-INT-0006'));
    return current.directory;
  };
  const presence = () => {
    const current = running();
    if (current === undefined) throw new FailureError(failure('SLP-INT-0006'));
    const { directory: accounts, presence: agent } = current;
    return { agent, knows: (aor: string) => accounts.find(aor) !== undefined };
  };
  return {
    ...presenceVerbs(presence, wall),
    /** The edges' services that cannot be reached, with the reason; empty when all is well. */
    troubles: verb(z.strictObject({}), () => running()?.troubles() ?? ['no document yet']),
    /** Who may sign in, and on how many devices each is. */
    users: verb(z.strictObject({}), () =>
      directory()
        .list()
        .map(({ aor, algorithm }) => ({
          address: aor,
          algorithm,
          devices: directory()
            .of(aor)
            .filter(({ expires }) => expires > wall()).length,
        })),
    ),
    /** Where one user is signed in. */
    bindings: verb(user, ({ address }) => {
      const parsed = parseAor(address);
      if (parsed === undefined) throw new FailureError(failure('SLP-INT-0001', address));
      return directory()
        .of(parsed.aor)
        .filter(({ expires }) => expires > wall())
        .map(({ contact, reach, expires }) => ({
          contact,
          through: reach.kind === 'path' ? reach.path : 'own connection',
          secondsLeft: Math.round((expires - wall()) / 1000),
        }));
    }),
  };
}
