import { dirname, join } from 'node:path';
import { catalogue, err, type Failure, failure, type Result } from '#kernel';
import type { OfferJudge } from '#platform/service';
import {
  type DocumentError,
  type EdgeDocument,
  formatDocumentError,
  loadEdgeDocument,
  replicaSettings,
} from '#platform/topology';
import { type Attempt, type ChainHead, POLICY_ENTRY } from '#protocols/replication';
import { ReplicaFolder } from './folder.ts';
import { stageFile } from './stage.ts';
import { verifyCurrent } from './verify-current.ts';

/** The supervisor's own judgement on what the replica agent received: nothing that the agent says is believed. */
export const replicaJudge: OfferJudge<EdgeDocument> = {
  service: 'replica',
  judge(documentFile, offer) {
    const settings = replicaSettings(documentFile);
    if (settings === undefined) return { kind: 'refused', problems: [problemText(failure('SLP-CFG-0013'))] };
    const folder = new ReplicaFolder(settings.stateDirectory);
    if (dirname(offer) !== folder.inbox) return { kind: 'refused', problems: ['it is not in the inbox'] };
    folder.sweepVersions();
    const staged = stageFile(folder, settings, offer);
    if (!staged.ok) {
      const { failure: problem, head } = staged.error;
      note(folder, head, 'refused', [problemText(problem)], problem.code);
      return { kind: 'refused', problems: [problemText(problem)] };
    }
    const { head, policyFile, unchanged, discard, commit } = staged.value;
    if (unchanged) {
      note(folder, head, 'unchanged', []);
      return { kind: 'unchanged' };
    }
    return {
      kind: 'ready',
      load: () => loadEdgeDocument(documentFile, { policyFile }),
      keep: commit,
      settle(outcome, problems) {
        if (outcome === 'applied') folder.sweepVersions();
        else discard();
        note(folder, head, outcome, problems);
      },
    };
  },
};

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

/** An edge.yaml for running: its replicated policy is what was signed, today as when it was taken. */
export function loadVerifiedEdge(file: string): Result<EdgeDocument, DocumentError[]> {
  const settings = replicaSettings(file);
  const folder = settings === undefined ? undefined : new ReplicaFolder(settings.stateDirectory);
  if (settings === undefined || folder?.currentFolder === undefined) return loadEdgeDocument(file);
  const verdict = verifyCurrent(folder, settings);
  // What was verified, and not what the link may say a moment later.
  if (verdict.ok) return loadEdgeDocument(file, { policyFile: join(verdict.value.folder, POLICY_ENTRY) });
  const { code, message } = verdict.error;
  const instead = catalogue[code].remedy;
  return err([
    { severity: 'error', rule: 'replica', file, line: 1, column: 1, what: `${code} ${message}`, instead },
  ]);
}

/** @returns one line an error, for a snapshot tried outside a running program */
export function policyProblems(documentFile: string, policyFile: string): string[] {
  const loaded = loadEdgeDocument(documentFile, { policyFile });
  return loaded.ok ? [] : loaded.error.map(formatDocumentError);
}
