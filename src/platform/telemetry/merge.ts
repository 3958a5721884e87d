import { Registry } from 'prom-client';

/** Metrics in a form that JSON carries. */
export type MetricsSnapshot = readonly MetricFamily[];

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly MetricSample[];
}
export interface MetricSample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  /** For the parts of a histogram or summary. */
  readonly metricName?: string | undefined;
}

/** One snapshot of many: each sample gets a label saying which service it came from. */
export function mergeSnapshots(parts: ReadonlyMap<string, MetricsSnapshot>): MetricsSnapshot {
  const families = new Map<string, MetricFamily & { values: MetricSample[] }>();
  for (const [service, snapshot] of parts) {
    for (const family of snapshot) {
      const merged = families.get(family.name) ?? { ...family, values: [] };
      families.set(family.name, merged);
      for (const sample of family.values) {
        merged.values.push({ ...sample, labels: { service, ...sample.labels } });
      }
    }
  }
  return [...families.values()];
}

/** In the Prometheus text format. */
export function renderSnapshot(snapshot: MetricsSnapshot): Promise<string> {
  const registry = new Registry();
  for (const family of snapshot) {
    const metric = { ...family, get: async () => family };
    registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0]);
  }
  return registry.metrics();
}
