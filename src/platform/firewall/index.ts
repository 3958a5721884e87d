export type { Difference } from './difference/compare.ts';
export { type CommandOutcome, compareWithLoaded, type RunCommand } from './difference/loaded.ts';
export { type FormatName, formatNames, limitsOf } from './formats/head.ts';
export { renderRuleset } from './formats/render.ts';
export {
  type Action,
  type AddressMatch,
  type Chain,
  type FirewallName,
  firewallNames,
  type Hook,
  type Match,
  type Rule,
  type Ruleset,
} from './model/ruleset.ts';
export type { RulesetOptions } from './rulesets/common-rules.ts';
export { firewallRuleset } from './rulesets/ruleset.ts';
