import type { SipRequest, SipResponse } from '../messages/message.ts';
import type { ClientTransaction } from './client-transaction.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { TextHash, TransactionTable } from './table.ts';

/** What a branch parameter begins with when it is unique by itself (RFC 3261 §8.1.1.7). */
export const MAGIC_COOKIE = 'z9hG4bK';

const texts = new TextHash();

/** Whether the request comes from an element older than RFC 3261, whose branch identifies nothing. */
export function isLegacy(request: SipRequest): boolean {
  const { branch } = request.topVia;
  return branch === undefined || branch.length === MAGIC_COOKIE.length || !startsWithCookie(branch);
}

/**
 * Of everything by which requests are told apart: whoever could send many that differ in what is left out would have them all
 * in one chain. `method` is INVITE for an ACK and for finding what a CANCEL names (RFC 3261 §9.2).
 */
export function serverHash(request: SipRequest, method: string, scope: string): number {
  const { host, port, branch } = request.topVia;
  const unique = isLegacy(request) ? legacyText(request) : (branch ?? '');
  return texts.of(unique, scope, method, host, port);
}
function legacyText({ topVia, callId, cseq, from, uri }: SipRequest): string {
  return `${topVia.branch ?? ''} ${cseq.number} ${from.tag ?? ''} ${callId} ${uri}`;
}

/** Server transactions, found by RFC 3261 §17.2.3. */
export class ServerTransactions extends TransactionTable<ServerTransaction> {
  /** @param hash {@link serverHash} of the rest, which whoever adds a transaction needs, too */
  find(
    request: SipRequest,
    method: string,
    scope: string,
    hash = serverHash(request, method, scope),
  ): ServerTransaction | undefined {
    let one = this.chain(hash);
    while (one !== undefined && !isSameServer(one, hash, request, method, scope)) one = one.nextInTable;
    return one;
  }
}

function isSameServer(
  one: ServerTransaction,
  hash: number,
  request: SipRequest,
  method: string,
  scope: string,
): boolean {
  if (one.hash !== hash || one.method !== method || one.scope !== scope) return false;
  const { host, port, branch } = request.topVia;
  const { topVia } = one;
  if (topVia.branch !== branch || topVia.host !== host || topVia.port !== port) return false;
  if (!isLegacy(request)) return true;
  const first = one.request;
  return (
    first.callId === request.callId &&
    first.cseq.number === request.cseq.number &&
    first.from.tag === request.from.tag &&
    first.uri === request.uri
  );
}

/**
 * Of the branch alone, and without a key: we write the branches ourselves, so nobody can choose many that meet in one chain, and
 * whoever answers only looks for one. An INVITE shares its chain with the CANCEL of it.
 */
export function clientHash(branch: string): number {
  let hash = 0;
  for (let at = MAGIC_COOKIE.length; at < branch.length; at++) {
    hash = (Math.imul(hash, 31) + branch.charCodeAt(at)) | 0;
  }
  return hash ^ (hash >>> 16);
}

/** Client transactions, found by RFC 3261 §17.1.3. */
export class ClientTransactions extends TransactionTable<ClientTransaction> {
  find(branch: string, method: string, scope: string): ClientTransaction | undefined {
    let one = this.chain(clientHash(branch));
    while (one !== undefined && !isSameClient(one, branch, method, scope)) one = one.nextInTable;
    return one;
  }
}

function isSameClient(one: ClientTransaction, branch: string, method: string, scope: string): boolean {
  return one.branch === branch && one.method === method && one.scope === scope;
}

/** Undefined when the topmost Via cannot be ours. */
export function ownBranchOf(response: SipResponse): string | undefined {
  const { branch } = response.topVia;
  return branch === undefined || !startsWithCookie(branch) ? undefined : branch;
}

/** Parameter values are compared without regard to case (RFC 3261 §7.3.1), the cookie among them. */
function startsWithCookie(branch: string): boolean {
  if (branch.startsWith(MAGIC_COOKIE)) return true;
  return branch.slice(0, MAGIC_COOKIE.length).toLowerCase() === 'z9hg4bk';
}
