import type { Ruleset } from '../model/ruleset.ts';
import { csvText } from './csv.ts';
import type { FormatName } from './head.ts';
import { iptablesText } from './iptables.ts';
import { jsonText } from './json.ts';
import { nftablesText } from './nftables.ts';
import { sysctlText } from './sysctl.ts';

const RENDERERS: Readonly<Record<FormatName, (ruleset: Ruleset) => string>> = {
  nftables: nftablesText,
  iptables: iptablesText,
  csv: csvText,
  json: jsonText,
  sysctl: sysctlText,
};

/** The rules in one of the formats, with the final newline. */
export function renderRuleset(ruleset: Ruleset, format: FormatName): string {
  return RENDERERS[format](ruleset);
}
