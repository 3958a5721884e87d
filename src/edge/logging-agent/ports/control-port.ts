import { type Failure, failure } from '#kernel';
import type { AgentStatus } from '#protocols/log-query';
import type { RunningScenarios } from '../running-scenarios.ts';
import type { PortRequest, Reply } from './session.ts';

export interface ControlParts {
  readonly scenarios: RunningScenarios;
  readonly status: () => AgentStatus;
  /** Everything that was emitted before is stored, and on the disk. */
  readonly sync: () => Promise<Failure | undefined>;
  /** Emits an event the way every service does. */
  readonly mark: (marker: string) => void;
}

/** Port row int-09: scenarios start and end, and the agent tells how it is. */
export async function answerControl(
  request: PortRequest,
  reply: Reply,
  { scenarios, status, sync, mark }: ControlParts,
): Promise<Failure | undefined> {
  const { id } = request;
  switch (request.type) {
    case 'start':
    case 'update':
    case 'stop': {
      const outcome =
        request.type === 'stop' ? scenarios.stop(request.scenario) : scenarios[request.type](request);
      if (!outcome.ok) return outcome.error;
      await reply.send({ type: 'scenarios', id, running: scenarios.show() });
      return undefined;
    }
    case 'show':
      await reply.send({ type: 'scenarios', id, running: scenarios.show() });
      return undefined;
    case 'status':
      await reply.send({ type: 'status', id, status: status() });
      return undefined;
    case 'sync': {
      const problem = await sync();
      if (problem === undefined) await reply.send({ type: 'done', id });
      return problem;
    }
    case 'mark':
      if (scenarios.scenarios.length === 0) return failure('SLP-LOG-0007', 'none, so that nothing is stored');
      mark(request.marker);
      await reply.send({ type: 'done', id });
      return undefined;
    default:
      return failure('SLP-LOG-0002', `${request.type} belongs to another port`);
  }
}
