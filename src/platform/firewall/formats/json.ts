import { type Chain, commentOf, type Ruleset } from '../model/ruleset.ts';
import { limitsOf, titleOf } from './head.ts';
import { chainName } from './nftables.ts';

/** Grows by one when a program that reads the earlier shape would misread this one. */
const SHAPE = 1;

/** The rules as data, each rule in a line; the shape is written down in docs/guides/firewalls.md. */
export function jsonText(ruleset: Ruleset): string {
  const { firewall, scenario, notes, reservedPorts, chains } = ruleset;
  const cannotExpress = limitsOf(ruleset, 'json');
  const head = {
    version: SHAPE,
    title: titleOf(ruleset),
    firewall,
    scenario,
    notes,
    cannotExpress,
    reservedPorts,
  };
  const members = Object.entries(head).map(([name, value]) => `  "${name}": ${JSON.stringify(value)}`);
  const list = `  "chains": [\n${chains.map(chainText).join(',\n')}\n  ]`;
  return `{\n${[...members, list].join(',\n')}\n}\n`;
}

function chainText({ hook, policy, rules }: Chain): string {
  const head = `"hook": "${hook}", "nftablesChain": "${chainName(hook)}", "policy": "${policy}"`;
  const lines = rules.map((rule) => `      ${JSON.stringify({ ...rule, comment: commentOf(rule) })}`);
  return `    { ${head}, "rules": [\n${lines.join(',\n')}\n    ] }`;
}
