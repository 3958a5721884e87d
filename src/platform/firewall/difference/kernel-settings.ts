import { err, ok, type Result } from '#kernel';
import { type PortRange, quote } from '#platform/topology';
import { mergedRanges, rangeText } from '../model/networks.ts';
import type { Ruleset } from '../model/ruleset.ts';
import type { Difference } from './compare.ts';
import type { RunCommand } from './loaded.ts';

const RESERVED = 'net.ipv4.ip_local_reserved_ports';
/** The least that is asked of each; a stricter one will do. */
const LEAST = { 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 } as const;

/**
 * What differs between the settings that `--format sysctl` writes and those of this host's kernel. Nothing for a
 * firewall that is not the host's own.
 */
export function compareKernel(ruleset: Ruleset, run: RunCommand): Result<Difference[], string> {
  if (ruleset.firewall !== 'host') return ok([]);
  const names = [RESERVED, ...Object.keys(LEAST)];
  const outcome = run('sysctl', ['-n', ...names]);
  const values = outcome.out.replace(/\n$/, '').split('\n');
  if (outcome.status !== 0 || values.length !== names.length) {
    const [reason = 'no reason given'] = outcome.error.split('\n').filter((line) => line.trim() !== '');
    return err(
      `the settings of the kernel cannot be read (${reason}): sysctl (procps) has to tell ${names.join(', ')}`,
    );
  }
  const [reserved = '', ...levels] = values.map((value) => value.trim());
  return ok([...missingPorts(ruleset, reserved), ...laxLevels(levels)]);
}

/** The kernel may give these to outgoing connections, and the service that wants them finds them taken. */
function missingPorts(ruleset: Ruleset, text: string): Difference[] {
  const reserved = mergedRanges(rangesIn(text));
  const missing = ruleset.reservedPorts.filter(
    ({ first, last }) => !reserved.some((range) => range.first <= first && last <= range.last),
  );
  if (missing.length === 0) return [];
  const ports = missing.map((range) => rangeText(range)).join(', ');
  const has = text === '' ? 'is empty' : `is ${quote(text)}`;
  const what = `${RESERVED} ${has} and lacks ${ports}: outgoing connections may take these ports`;
  return [{ kind: 'missing', what, rows: [] }];
}

function laxLevels(levels: readonly string[]): Difference[] {
  return Object.entries(LEAST).flatMap(([name, least], index) => {
    const level = levels[index] ?? '';
    if (Number(level) >= least) return [];
    const what = `${name} is ${quote(level)}, not ${least}: addresses of one interface are told on the other`;
    return [{ kind: 'too open' as const, what, rows: [] }];
  });
}

/** `3478,50000-59999`; what is no port is none. */
function rangesIn(text: string): PortRange[] {
  return text.split(',').flatMap((part) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    return first === undefined ? [] : [{ first: Number(first), last: Number(last) }];
  });
}
