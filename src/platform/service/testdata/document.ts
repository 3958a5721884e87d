import { readFileSync } from 'node:fs';
import { err, ok, type Result } from '#kernel';
import type { DocumentFinding, ListenerPlan } from '#platform/topology';
import type { HostSettings, Program } from '../program.ts';

/** A document small enough for tests: JSON, with switches that make services misbehave. */
export interface TestDocument {
  readonly host: HostSettings;
  readonly plan: readonly ListenerPlan[];
  readonly greeting: string;
  /** Names of services that refuse this document. */
  readonly refuse?: readonly string[];
  /** Names of services that are not healthy with it. */
  readonly unhealthy?: readonly string[];
  /** Names of services that end when they commit it. */
  readonly crash?: readonly string[];
  /** While there is such a file, the second process of a service ends whenever it is started. */
  readonly secondEnds?: string;
  readonly files?: readonly string[];
}

const module = (name: string) => new URL(`./${name}.ts`, import.meta.url).href;

export const testProgram: Program<TestDocument> = {
  name: 'edge',
  services: [
    { name: 'access', title: 'TCP echo', module: module('tcp-echo') },
    { name: 'av', title: 'UDP echo', module: module('udp-echo') },
  ],
  load(file): Result<TestDocument, DocumentFinding[]> {
    try {
      return ok(JSON.parse(readFileSync(file, 'utf8')) as TestDocument);
    } catch (error) {
      const what = (error as Error).message;
      return err([
        {
          severity: 'error',
          rule: 'syntax',
          file,
          line: 1,
          column: 1,
          what,
          instead: 'write JSON',
          context: '',
        } as DocumentFinding,
      ]);
    }
  },
  listeners: (document) => document.plan,
  host: (document) => document.host,
  files: (document) => document.files ?? [],
};
