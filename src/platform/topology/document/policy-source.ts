import { join } from 'node:path';
import { isMap } from 'yaml';
import { z } from 'zod';
import type { DocumentError } from '../finding.ts';
import { fillEdgeDefaults } from '../schema/defaults.ts';
import { type EdgeDocument, edgeSchema } from '../schema/edge-schema.ts';
import { DocumentReader, type Draft } from './read-document.ts';
import { keyOf, YamlSource } from './yaml-source.ts';

/** What an edge.yaml says about where its policy comes from. */
export interface ReplicaSettings {
  /** host.name */
  readonly edge: string;
  readonly stateDirectory: string;
  /** Fingerprints of the keys whose signature counts. */
  readonly signers: readonly string[];
}

export type PolicySource =
  | { readonly kind: 'local' }
  | { readonly kind: 'replicated'; readonly settings: ReplicaSettings }
  /** Both are asked for. */
  | { readonly kind: 'both'; readonly problem: DocumentError };

/** Local or replicated, never both: host.replication.policy decides. A text with other mistakes counts as local. */
export function policySource(text: string, file: string): PolicySource {
  const source = new YamlSource(file, text);
  const draft = hostDraft(source);
  if (draft === undefined || !isMap(source.root)) return { kind: 'local' };
  const written = source.root.items.some((pair) => keyOf(pair) === 'policy');
  const { name: edge, stateDirectory, replication } = draft?.host ?? {};
  const signers = (replication?.signers ?? []).filter((signer) => signer !== undefined);
  if (replication?.policy !== 'replicated' || edge === undefined || stateDirectory === undefined)
    return { kind: 'local' };
  if (!written) return { kind: 'replicated', settings: { edge, stateDirectory, signers } };
  const places = new YamlSource(file, text);
  places.add(
    ['policy'],
    {
      severity: 'error',
      rule: 'policy-twice',
      what: 'the policy part is written here, and host.replication.policy asks for a replicated one',
      instead:
        'remove policy and load the replicated one with config import, or write host.replication.policy: local',
    },
    'key',
  );
  return { kind: 'both', problem: places.findings.at(-1) as DocumentError };
}

/** A link to the folder of the version that runs; replaced as a whole. */
export function currentReplica(stateDirectory: string): string {
  return join(stateDirectory, 'replica', 'current');
}

/** The signed statement which of the keys of that version are in use; replaced as a whole. */
export function replicaActivation(stateDirectory: string): string {
  return join(stateDirectory, 'replica', 'activation.json');
}

function hostDraft(source: YamlSource): Draft<EdgeDocument> | undefined {
  if (source.broken) return undefined;
  const reader = new DocumentReader(source, new Map());
  const draft = reader.read(z.strictObject({ host: edgeSchema.shape.host })) as
    | Draft<EdgeDocument>
    | undefined;
  fillEdgeDefaults(draft ?? {});
  return draft;
}

/** The part of an edge.yaml that says where and as whom it runs, for what is done before there is a policy. */
export function hostPart(text: string, file: string) {
  const { stateDirectory, runAs, administration } = hostDraft(new YamlSource(file, text))?.host ?? {};
  const socket = administration?.socket;
  if (stateDirectory === undefined || socket === undefined) return undefined;
  return { stateDirectory, ...(runAs === undefined ? {} : { runAs }), administration: { socket } };
}
