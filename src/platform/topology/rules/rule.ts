import type { Path, Report, Severity } from '../finding.ts';

/** A check across settings. Its findings carry its name. It sees only what could be read. */
export interface Rule<Facts> {
  readonly name: string;
  check(facts: Facts, say: Say): void;
}

/** `what` is wrong at `path`; `instead` says what to write. */
export type Say = (path: Path, severity: Severity, what: string, instead: string) => void;

export function runRules<Facts>(rules: readonly Rule<Facts>[], facts: Facts, report: Report): void {
  for (const rule of rules) {
    rule.check(facts, (path, severity, what, instead) =>
      report(path, { severity, rule: rule.name, what, instead }),
    );
  }
}
