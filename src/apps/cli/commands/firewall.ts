import { type Command, Option } from 'commander';
import {
  compareWithLoaded,
  type FirewallName,
  type FormatName,
  firewallNames,
  firewallRuleset,
  formatNames,
  limitsOf,
  type Ruleset,
  renderRuleset,
} from '#platform/firewall';
import { plannedDocument } from '../planned-document.ts';
import { exitStatus, printable, type Session } from '../terminal.ts';

interface FirewallOptions {
  readonly for: FirewallName;
  readonly format: FormatName;
  readonly log?: boolean;
  readonly diff?: boolean;
}

/** `sallyport firewall FILE --for external|internal|host` */
export function addFirewall(root: Command, session: Session): void {
  root
    .command('firewall')
    .description('write the firewall rules of the port plan, or compare them with those that are loaded')
    .argument('<file>', 'an edge.yaml')
    .addOption(
      new Option('--for <firewall>', 'the firewall before the perimeter, the one behind it, or this host')
        .choices(firewallNames)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--format <format>', 'how to write them')
        .choices(formatNames)
        .default('nftables')
        .conflicts('diff'),
    )
    .option('--log', 'log a few of the packets that are dropped')
    .option('--diff', 'compare with the rules that nft lists on this host; needs root')
    .action((file: string, options: FirewallOptions) => write(session, file, options));
}

function write(session: Session, file: string, options: FirewallOptions): void {
  const { terminal, finish } = session;
  const document = plannedDocument(session, file);
  if (document === undefined) return;
  if (options.format === 'sysctl' && options.for !== 'host') {
    terminal.error('--format sysctl is for the host: write --for host');
    return finish(exitStatus.usage);
  }
  const ruleset = firewallRuleset(document, options.for, { log: options.log === true });
  if (options.diff === true) return compare(session, ruleset);
  // What is rendered ends with a line feed, and so does what a terminal prints.
  terminal.out(renderRuleset(ruleset, options.format).replace(/\n$/, ''));
  if (options.format !== 'csv') return;
  for (const line of [...ruleset.notes, ...limitsOf(ruleset, 'csv')]) terminal.error(`note: ${line}`);
}

function compare({ terminal, finish }: Session, ruleset: Ruleset): void {
  const compared = compareWithLoaded(ruleset);
  if (!compared.ok) {
    terminal.error(printable(compared.error));
    return finish(exitStatus.failed);
  }
  for (const { kind, what, rows } of compared.value) {
    terminal.out(printable(`${kind}: ${what}${rows.length === 0 ? '' : ` (${rows.join(', ')})`}`));
  }
  const count = compared.value.length;
  if (count === 0) return terminal.out('the rules of this host are those of the document');
  terminal.out(`${count} ${count === 1 ? 'difference' : 'differences'}`);
  finish(exitStatus.failed);
}
