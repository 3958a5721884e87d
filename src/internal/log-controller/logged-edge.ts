import type { InternalDocument } from '#platform/topology';

/** An edge whose logging agent is asked. */
export type LoggedEdge = InternalDocument['logging']['edges'][number];
