import type { Handlers, Methods } from './interface.ts';
import type { PsomEvent } from './peer.ts';

/**
 * Calls the handler of a method that the peer found to exist and whose parameters it has read by their declared types.
 */
export function dispatch<M extends Methods>(
  handlers: Handlers<M>,
  event: Extract<PsomEvent, { kind: 'called' }>,
): void {
  const handler = handlers[event.method] as ((...parameters: readonly unknown[]) => void) | undefined;
  if (handler === undefined)
    throw new TypeError(`${event.object.interface.name}.${event.method} has no handler`);
  handler.call(handlers, ...event.parameters);
}
