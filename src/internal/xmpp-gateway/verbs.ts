import { z } from 'zod';
import { FailureError, failure } from '#kernel';
import { type VerbHandler, verb } from '#platform/service';
import { parseJid } from '#protocols/xmpp';
import type { Running } from './running.ts';

const nothing = z.strictObject({});
const who = z.strictObject({ user: z.string().max(1100) });
const pair = z.strictObject({ user: z.string().max(1100), contact: z.string().max(1100) });

/** What an operator may ask of the gateway. */
export function gatewayVerbs(running: () => Running | undefined): Readonly<Record<string, VerbHandler>> {
  const current = (): Running => {
    const found = running();
    if (found === undefined) throw new FailureError(failure('SLP-XMPP-0101'));
    return found;
  };
  return {
    /** Links to edges and connections to next hops. */
    links: verb(nothing, () => ({
      edges: current()
        .links()
        .map(({ peer, address, ready, open }) => ({ edge: peer, address, ready, open })),
      nextHops: current().nextHops(),
    })),
    /** Who watches whom, in both directions. */
    subscriptions: verb(nothing, () => {
      const { watches, watchers } = current().gateway;
      const row =
        (direction: 'inward' | 'outward') =>
        (one: { local: string; remote: string; state: string; expires: number }) => ({
          direction,
          user: one.local,
          contact: one.remote,
          state: one.state,
          until: new Date(one.expires).toISOString(),
        });
      return [...watches.all().map(row('inward')), ...watchers.all().map(row('outward'))];
    }),
    /** The contacts whom a user has invited. */
    contacts: verb(who, ({ user }) => current().store.contactsOf(bare(user))),
    /** A user wants nothing more of a contact: as if never invited. */
    'forget-contact': verb(pair, ({ user, contact }) => {
      const forgotten = current().store.removeContact({ local: bare(user), remote: bare(contact) });
      if (!forgotten) throw new FailureError(failure('SLP-XMPP-0103', `${user} and ${contact}`));
      return { forgotten: true };
    }),
  };
}

function bare(text: string): string {
  const jid = parseJid(text);
  if (jid?.local === undefined || jid.resource !== undefined) {
    throw new FailureError(failure('SLP-XMPP-0102', text));
  }
  return `${jid.local}@${jid.domain}`;
}
