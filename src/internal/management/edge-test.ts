import { catalogue, type Failure } from '#kernel';
import type { EdgeReport } from '#protocols/replication';
import type { Database } from './database.ts';
import { EdgeLink, type LinkOptions } from './edge-link.ts';
import type { ManagedEdge } from './policies.ts';
import type { Publisher } from './publisher.ts';
import { skewText } from './status.ts';
import type { StoreKeys } from './store-keys.ts';

export interface TestStep {
  readonly step: string;
  readonly ok: boolean;
  readonly detail: string;
}

interface TestParts {
  readonly database: Database;
  readonly publisher: Publisher;
  readonly keys: StoreKeys;
  readonly link: LinkOptions;
}

/** Walks the way of a push to one edge and says what it finds at every step; changes nothing. */
export async function testEdge(edge: ManagedEdge, parts: TestParts): Promise<TestStep[]> {
  const steps: TestStep[] = [];
  const found = await parts.link.find(edge);
  if (!found.ok) return [failed('address', found.error)];
  steps.push({
    step: 'address',
    ok: true,
    detail: `${found.value}, from ${edge.address === undefined ? 'the DNS' : 'the document'}`,
  });
  const own = parts.link.addresses.join(', ');
  steps.push({
    step: 'dial',
    ok: true,
    detail: `${found.value} port ${edge.port}, from ${own}, as port row int-08`,
  });
  const link = await EdgeLink.dial(edge, parts.link);
  if (!link.ok) return [...steps, failed('connect, TLS, certificate', link.error)];
  steps.push({ step: 'connect, TLS, certificate', ok: true, detail: `the certificate names ${edge.name}` });
  try {
    const report = await link.value.report();
    if (!report.ok) return [...steps, failed('report', report.error)];
    return [...steps, ...reportSteps(edge, report.value, parts)];
  } finally {
    link.value.close();
  }
}

function reportSteps(
  edge: ManagedEdge,
  report: EdgeReport,
  { database, publisher, keys, link }: TestParts,
): TestStep[] {
  const pinned = database.edge(edge.name)?.sealingKey;
  const skew = Math.round((report.now - link.clock.wall()) / 1000);
  const push = publisher.pushFor(edge.name, report, false);
  return [
    {
      step: 'report',
      ok: true,
      detail: `version ${report.head?.version ?? 'none'}, product ${report.product}`,
    },
    {
      step: 'clock',
      ok: Math.abs(skew) <= 60,
      detail: skewText(edge.name, skew),
    },
    { step: 'policy', ok: report.policy === 'replicated', detail: report.policy },
    {
      step: 'sealing key',
      ok: pinned === undefined || pinned === report.sealingKey,
      detail:
        pinned === undefined ? 'not pinned yet' : pinned === report.sealingKey ? 'as pinned' : 'another one',
    },
    push.ok
      ? {
          step: 'history',
          ok: true,
          detail: push.value === 'up-to-date' ? 'up to date' : `${push.value.links.length} versions to push`,
        }
      : failed('history', push.error),
    {
      step: 'keys in use',
      ok: !keys.differs(report),
      detail: [report.inUse?.media, report.inUse?.flow].map((name) => name ?? 'its own').join(', '),
    },
    {
      step: 'last push',
      ok: report.last === null || report.last.outcome === 'applied' || report.last.outcome === 'unchanged',
      detail: report.last === null ? 'none yet' : [report.last.outcome, ...report.last.problems].join('; '),
    },
  ];
}

function failed(step: string, { code, message }: Failure): TestStep {
  return { step, ok: false, detail: `${code} ${message}. ${catalogue[code].remedy}` };
}
