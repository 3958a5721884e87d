import type { WallTime } from '#kernel';
import type { PresenceStore, Rule } from './presence-store.ts';
import type { Approval, Decision, PresenceSettings } from './settings.ts';

/** Who may see whose presence: a user's word about one watcher, else the user's own rule, else that of the document. */
export class Approvals {
  readonly #store: PresenceStore;
  #settings: PresenceSettings;

  constructor(store: PresenceStore, settings: PresenceSettings) {
    this.#store = store;
    this.#settings = settings;
  }
  configure(settings: PresenceSettings): void {
    this.#settings = settings;
  }

  decision(presentity: string, watcher: string, outsider: boolean): Decision {
    if (watcher === presentity) return 'allow';
    const rule = this.#store.rule(presentity, watcher);
    if (rule !== undefined && rule.decision !== 'asked') return rule.decision;
    const approval = this.approval(presentity);
    return outsider ? approval.outsiders : approval.colleagues;
  }
  /** Whether the user's own word lets this person in: the contact list of those who may write. */
  isListed(presentity: string, watcher: string): boolean {
    return this.#store.rule(presentity, watcher)?.decision === 'allow';
  }
  approval(presentity: string): Approval {
    return this.#store.approval(presentity) ?? this.#settings.approval;
  }
  rules(presentity: string): Rule[] {
    return this.#store.rules(presentity);
  }

  /** Remembers that somebody asks; false when the user has decided about as many as there may be. */
  noteAsked(presentity: string, watcher: string, wall: WallTime): boolean {
    const known = this.#store.rule(presentity, watcher);
    // What the user has decided stays, whoever asks again: another word of his is needed to change it.
    if (known !== undefined && known.decision !== 'asked') return true;
    return this.#save(presentity, { watcher, decision: 'asked', changed: wall });
  }
  decide(presentity: string, watcher: string, decision: Decision, wall: WallTime): boolean {
    return this.#save(presentity, { watcher, decision, changed: wall });
  }
  setApproval(presentity: string, approval: Approval): void {
    this.#store.saveApproval(presentity, approval);
  }

  /** Whoever has waited longest makes room for another. */
  #save(presentity: string, rule: Rule): boolean {
    return this.#store.atomically(() => {
      if (this.#store.rule(presentity, rule.watcher) === undefined) {
        const rules = this.#store.rules(presentity);
        if (rules.length >= this.#settings.watchersPerUser) {
          const oldest = rules.find(({ decision }) => decision === 'asked');
          if (oldest === undefined) return false;
          this.#store.deleteRule(presentity, oldest.watcher);
        }
      }
      this.#store.saveRule(presentity, rule);
      return true;
    });
  }
}
