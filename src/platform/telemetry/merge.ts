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

/** What one process counted, and the labels that tell it from the others. */
export interface MetricsPart {
  readonly labels: Readonly<Record<string, string>>;
  readonly snapshot: MetricsSnapshot;
}

/** One snapshot of many: each sample gets the labels that say which process it came from. */
export function mergeSnapshots(parts: readonly MetricsPart[]): MetricsSnapshot {
  const families = new Map<string, MetricFamily & { values: MetricSample[] }>();
  for (const { labels, snapshot } of parts) {
    for (const family of snapshot) {
      const merged = families.get(family.name) ?? { ...family, values: [] };
      families.set(family.name, merged);
      for (const sample of family.values) {
        merged.values.push({ ...sample, labels: { ...labels, ...sample.labels } });
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
