import { z } from 'zod';
import { type Decision, decisions, type PresenceAgent } from '#internal/presence';
import { FailureError, failure, type WallTime } from '#kernel';
import { type VerbHandler, verb } from '#platform/service';
import { readPidf } from '#protocols/presence';
import { parseSipUri } from '#protocols/sip';
import { parseAor } from './account.ts';

const address = z.string().max(320);
const decision = z.enum(decisions);

/** What the verbs need of the front end that runs. */
export interface PresenceAdministration {
  readonly agent: PresenceAgent;
  knows(aor: string): boolean;
}

/** What an operator may see and decide about presence; for users whose clients cannot. */
export function presenceVerbs(
  running: () => PresenceAdministration,
  wall: () => WallTime,
): Readonly<Record<string, VerbHandler>> {
  /** The user, once it is sure that there is one. */
  const userOf = (text: string): string => {
    const aor = parseAor(text)?.aor;
    if (aor === undefined) throw new FailureError(failure('SLP-INT-0001', text));
    if (!running().knows(aor)) throw new FailureError(failure('SLP-INT-0005', text));
    return aor;
  };
  return {
    /** What a user shows, who watches, and what was decided about whom. */
    presence: verb(z.strictObject({ address }), (args) =>
      describe(running().agent, userOf(args.address), wall()),
    ),
    'presence-decide': verb(z.strictObject({ address, watcher: address, decision }), (args) => {
      const watcher = watcherOf(args.watcher);
      const done = running().agent.decide(userOf(args.address), watcher, args.decision, wall());
      if (!done) throw new FailureError(failure('SLP-SIP-0802', args.address));
      return { watcher, decision: args.decision };
    }),
    /** What those get about whom the user has not decided; what is left out stays. */
    'presence-approval': verb(
      z.strictObject({ address, colleagues: decision.optional(), outsiders: decision.optional() }),
      ({ address: text, colleagues, outsiders }) => {
        const { agent } = running();
        const user = userOf(text);
        const now = agent.approvalOf(user);
        const approval = { colleagues: colleagues ?? now.colleagues, outsiders: outsiders ?? now.outsiders };
        agent.setApproval(user, approval);
        return approval;
      },
    ),
  };
}

/** `user@domain` of an address in either form. */
function watcherOf(text: string): string {
  const parsed = parseSipUri(/^sips?:/i.test(text) ? text : `sip:${text}`);
  if (!parsed.ok || parsed.value.user === undefined) throw new FailureError(failure('SLP-SIP-0801', text));
  const watcher = `${parsed.value.user}@${parsed.value.host}`;
  return parseAor(watcher)?.aor ?? watcher;
}

function describe(agent: PresenceAgent, user: string, wall: WallTime) {
  const document = readPidf(agent.documentOf(user, wall));
  const { rules, subscriptions } = agent.watchersOf(user);
  const decided = new Map<string, Decision | 'asked'>(rules.map((rule) => [rule.watcher, rule.decision]));
  const live = subscriptions.filter((one) => one.package === 'presence');
  for (const { watcher, decision: now } of live) if (!decided.has(watcher)) decided.set(watcher, now);
  return {
    user,
    approval: agent.approvalOf(user),
    shows: !document.ok
      ? []
      : document.value.tuples.map(({ id, basic, show, notes }) => ({
          ...{ id, basic },
          ...(show === undefined ? {} : { show }),
          ...(notes[0] === undefined ? {} : { note: notes[0].text }),
        })),
    watchers: [...decided].map(([watcher, word]) => ({
      ...{ watcher, decision: word },
      subscriptions: live.filter((one) => one.watcher === watcher).length,
    })),
  };
}
