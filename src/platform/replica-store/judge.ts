import { dirname } from 'node:path';
import { catalogue, err, type Failure, failure, type Result } from '#kernel';
import type { Judgement, OfferJudge } from '#platform/service';
import {
  type DocumentError,
  type EdgeDocument,
  formatDocumentError,
  loadEdgeDocument,
  type ReplicaSettings,
  replicaSettings,
} from '#platform/topology';
import type { ActivatedKeys, Attempt, ChainHead } from '#protocols/replication';
import { keptActivation, stageActivationFile } from './activation.ts';
import { ReplicaFolder } from './folder.ts';
import { stageFile } from './stage.ts';
import { verifyCurrent } from './verify-current.ts';
import { loadVersion, type ReplicaVersion } from './version.ts';

/** How the file of an activation is named in the inbox; every other one is taken for a push. */
export const ACTIVATION_END = '.activation';

/** The supervisor's own judgement on what the replica agent received: nothing that the agent says is believed. */
export const replicaJudge: OfferJudge<EdgeDocument> = {
  service: 'replica',
  judge(documentFile, offer) {
    const settings = replicaSettings(documentFile);
    if (settings === undefined) return { kind: 'refused', problems: [problemText(failure('SLP-CFG-0013'))] };
    const folder = new ReplicaFolder(settings.stateDirectory);
    if (dirname(offer) !== folder.inbox) return { kind: 'refused', problems: ['it is not in the inbox'] };
    const about = { documentFile, settings, folder };
    return offer.endsWith(ACTIVATION_END) ? judgeActivation(about, offer) : judgePush(about, offer);
  },
};

interface About {
  readonly documentFile: string;
  readonly settings: ReplicaSettings;
  readonly folder: ReplicaFolder;
}

function judgePush({ documentFile, settings, folder }: About, offer: string): Judgement<EdgeDocument> {
  folder.sweepVersions();
  const staged = stageFile(folder, settings, offer);
  if (!staged.ok) {
    const { failure: problem, head } = staged.error;
    return refused(folder, head, problem);
  }
  const { head, unchanged, discard, commit } = staged.value;
  if (unchanged) {
    note(folder, head, 'unchanged', []);
    return { kind: 'unchanged' };
  }
  return {
    kind: 'ready',
    load: () => loadVersion(documentFile, staged.value, keptActivation(folder, settings, staged.value)?.keys),
    keep: commit,
    settle(outcome, problems) {
      if (outcome === 'applied') folder.sweepVersions();
      else discard();
      note(folder, head, outcome, problems);
    },
  };
}

/** The document that runs, with other keys in use: a change like any other, from which all services return together. */
function judgeActivation({ documentFile, settings, folder }: About, offer: string): Judgement<EdgeDocument> {
  const version = verifyCurrent(folder, settings);
  if (!version.ok) return refused(folder, undefined, version.error);
  const staged = stageActivationFile(folder, settings, version.value, offer);
  if (!staged.ok) return refused(folder, undefined, staged.error);
  const { activation, unchanged, commit } = staged.value;
  const { head } = version.value;
  if (unchanged) {
    note(folder, head, 'unchanged', []);
    return { kind: 'unchanged' };
  }
  return {
    kind: 'ready',
    load: () => loadVersion(documentFile, version.value, activation.keys),
    keep: commit,
    settle: (outcome, problems) => note(folder, outcome === 'applied' ? head : undefined, outcome, problems),
  };
}

function refused(
  folder: ReplicaFolder,
  head: ChainHead | undefined,
  problem: Failure,
): Judgement<EdgeDocument> {
  note(folder, head, 'refused', [problemText(problem)], problem.code);
  return { kind: 'refused', problems: [problemText(problem)] };
}

/** What the next report tells. Where even this cannot be written the push itself was answered, and that has to do. */
function note(
  folder: ReplicaFolder,
  head: ChainHead | undefined,
  outcome: Attempt['outcome'],
  problems: readonly string[],
  code?: string,
): void {
  const shortened = problems.slice(0, 50).map((problem) => problem.slice(0, 2000));
  const known = code === undefined ? {} : { code };
  try {
    folder.note({ head: head ?? null, outcome, at: Date.now(), problems: shortened, ...known });
  } catch {
    // A full disk is what it would have told about.
  }
}

function problemText({ code, message }: Failure): string {
  return `${code} ${message}: ${catalogue[code].remedy}`;
}

/** An edge.yaml for running: its replicated policy and its keys in use are what was signed, today as when they were taken. */
export function loadVerifiedEdge(file: string): Result<EdgeDocument, DocumentError[]> {
  const settings = replicaSettings(file);
  const folder = settings === undefined ? undefined : new ReplicaFolder(settings.stateDirectory);
  if (settings === undefined || folder?.currentFolder === undefined) return loadEdgeDocument(file);
  const verdict = verifyCurrent(folder, settings);
  // What was verified, and not what the link may say a moment later.
  if (verdict.ok)
    return loadVersion(file, verdict.value, keptActivation(folder, settings, verdict.value)?.keys);
  const { code, message } = verdict.error;
  const instead = catalogue[code].remedy;
  return err([
    { severity: 'error', rule: 'replica', file, line: 1, column: 1, what: `${code} ${message}`, instead },
  ]);
}

/** @returns one line an error, for a snapshot tried outside a running program */
export function policyProblems(
  documentFile: string,
  version: ReplicaVersion,
  keys: ActivatedKeys | undefined,
): string[] {
  const loaded = loadVersion(documentFile, version, keys);
  return loaded.ok ? [] : loaded.error.map(formatDocumentError);
}
