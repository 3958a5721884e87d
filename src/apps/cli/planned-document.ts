import { type EdgeDocument, formatDocumentError, loadEdgeDocument } from '#platform/topology';
import { exitStatus, printable, type Session } from './terminal.ts';

/**
 * The document that a command plans from. The files that it names need not exist yet: certificates are asked for with
 * what is planned here. Undefined, and everything that is wrong printed, when nothing can be planned.
 */
export function plannedDocument(session: Session, file: string): EdgeDocument | undefined {
  const loaded = loadEdgeDocument(file, { files: 'unread' });
  if (loaded.ok) return loaded.value;
  for (const finding of loaded.error) session.terminal.error(printable(formatDocumentError(finding)));
  session.finish(exitStatus.failed);
  return undefined;
}
