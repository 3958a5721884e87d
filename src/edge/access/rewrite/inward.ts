import type { Endpoint } from '#platform/net';
import {
  type HeaderId,
  headerId,
  MessageEdit,
  maxBreadth,
  NumberLines,
  type PassedOn,
  passOn,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  type SourceStamp,
  stampedVia,
} from '#protocols/sip';
import { DEFAULT_MAX_FORWARDS } from '../policy/common.ts';
import type { ForwardInward } from '../policy/from-client.ts';
import { isNotForClients } from '../trust.ts';
import { replaceWith } from './lists.ts';
import { ownRoutes, pathOf, RECORD_ROUTE, routesAboveOurs, routesOf } from './recorded-routes.ts';
import { internalUri, inwardLines, type Scene, shownParameter } from './scene.ts';

/** Fields of clients that may hold what we have hidden from them, besides Contact, which is theirs. */
const TARGET_FIELDS = withIds(['From', 'To', 'Refer-To', 'Referred-By', 'Reply-To']);
const DIALOG_ID_FIELDS = withIds(['Replaces', 'Join', 'Target-Dialog', 'In-Reply-To', 'SIP-If-Match']);
const maxForwardsLines = new NumberLines('Max-Forwards', 255);
const maxBreadthLines = new NumberLines('Max-Breadth', 60);
const ROUTE = headerId('Route');
/** Contacts of one redirection; far more than one person has devices. */
const MOST_CONTACTS = 128;
/** `~` begins the user part of a hidden target, and a hidden Call-ID. */
const HIDDEN_MARK = 0x7e;

/** Who sent a request, as far as rewriting it goes. */
interface Sender {
  /** Names the connection. */
  readonly token: string;
  readonly stamp: SourceStamp;
}

/** A client's request as the next hop gets it (RFC 3261 §16.6). */
export function inwardRequest(
  request: SipRequest,
  decision: ForwardInward,
  sender: Sender,
  branch: string,
  scene: Scene,
): Buffer {
  const { via, guest, remoteUser } = inwardLines(scene);
  const written: PassedOn = {
    via,
    branch,
    stamp: sender.stamp,
    maxForwards: maxForwardsLines.of((request.maxForwards ?? DEFAULT_MAX_FORWARDS + 1) - 1),
    maxBreadth: maxBreadthLines.of(maxBreadth(request)),
    mark: decision.asserted === undefined ? undefined : decision.guest === true ? guest : remoteUser,
    markText: decision.asserted ?? '',
    requestUri: decision.requestUri,
    route: decision.routes.length > 0 ? decision.routes.join(', ') : undefined,
    recordRoute: decision.recordRoute ? ownRoutes(sender.token, scene).join(', ') : undefined,
  };
  const asItIs = staysAsItIs(request, decision) ? passOn(request, written) : undefined;
  return asItIs ?? editedRequest(request, decision, sender, written, scene);
}

/** Whether nothing is changed but what is written into every request, its target and its routes. */
function staysAsItIs(request: SipRequest, decision: ForwardInward): boolean {
  if (decision.inVain === true || decision.unproven === true || decision.path !== 'none') return false;
  for (let field = 0; field < request.fieldCount; field++) {
    if (isNotForClients.at(request, field)) return false;
  }
  return !hidesSomething(request);
}

function editedRequest(
  request: SipRequest,
  decision: ForwardInward,
  { token }: Sender,
  written: PassedOn,
  scene: Scene,
): Buffer {
  const { settings } = scene;
  const edit = new MessageEdit(request);
  if (written.requestUri !== undefined) edit.requestUri(written.requestUri);
  // No credentials cover the Contact (RFC 7616 §3.4), so the sign-in goes on as a question.
  if (decision.inVain === true) edit.remove('Contact');
  if (decision.unproven === true) edit.remove('Authorization').remove('Proxy-Authorization');
  stripUntrusted(edit, request, scene);
  openHidden(edit, request, scene);
  edit.replaceLine(written.maxForwards);
  edit.replaceLine(written.maxBreadth);
  if (written.route !== undefined) edit.replace('Route', written.route);
  else if (request.has(ROUTE)) edit.remove(ROUTE);
  if (written.recordRoute !== undefined) {
    const theirs = routesOf(request);
    if (theirs.length === 0) edit.append('Record-Route', written.recordRoute);
    else replaceWith(edit, 'Record-Route', [...ownRoutes(token, scene), ...theirs]);
  }
  if (decision.path !== 'none') {
    const outbound = decision.path === 'outbound' ? ';ob' : '';
    replaceWith(edit, 'Path', [`<${internalUri(settings, token, outbound)}>`, ...pathOf(request)]);
  }
  if (written.mark !== undefined) edit.appendLine(written.mark, written.markText);
  written.stamp.write(edit, request);
  edit.prependLine(written.via, written.branch);
  return edit.toBytes();
}

/** What the request that this response answers looked like before we sent it outward. */
export interface OriginalRequest {
  readonly request: SipRequest;
  /** Where it came from. */
  readonly remote: Endpoint;
  /** Names the client's connection. */
  readonly token: string;
  readonly recordRoute: boolean;
}

/** A client's response as the next hop gets it: what we hid in the request is put back. */
export function restoreInward(
  edit: MessageEdit,
  response: SipResponse,
  original: OriginalRequest,
  scene: Scene,
): void {
  const { request, token } = original;
  stripUntrusted(edit, response, scene);
  openHidden(edit, response, scene, request.callId);
  restoreVias(edit, request, original.remote);
  if (!original.recordRoute || !response.has(RECORD_ROUTE)) return;
  const shown = shownParameter(scene.hiding.keyOfCallId(response.callId));
  const [internal, external] = ownRoutes(token, scene, shown);
  const theirs = routesAboveOurs(response, token);
  replaceWith(edit, 'Record-Route', [...theirs, external, internal, ...request.values(RECORD_ROUTE)]);
}

/** RFC 3261 §16.7 step 3: the Vias that the request came with, in place of what stood for them outside. */
export function restoreVias(edit: MessageEdit, request: SipRequest, remote: Endpoint): void {
  const [top = '', ...below] = request.values('Via');
  replaceWith(edit, 'Via', [stampedVia(request.topVia, remote) ?? top, ...below]);
}

/** Takes out what only servers may say (trust.ts); names are canonical here, so no spelling gets past it. */
function stripUntrusted(edit: MessageEdit, message: SipMessage, scene: Scene): void {
  for (let field = 0; field < message.fieldCount; field++) {
    if (!isNotForClients.at(message, field)) continue;
    const name = message.fieldName(field);
    edit.remove(name);
    // Written anew where a dialog begins, around our own.
    if (name !== 'Record-Route') scene.stripped();
  }
}

/** Whether something may be in it that {@link openHidden} opens. */
function hidesSomething(message: SipMessage): boolean {
  if (message.callId.charCodeAt(0) === HIDDEN_MARK) return true;
  return (
    TARGET_FIELDS.some(({ id }) => message.holds(id, HIDDEN_MARK)) ||
    DIALOG_ID_FIELDS.some(({ id }) => message.holds(id, HIDDEN_MARK))
  );
}

/** Puts back what was hidden in the fields of `message`; `known` is the real Call-ID, when it is known. */
export function openHidden(edit: MessageEdit, message: SipMessage, scene: Scene, known?: string): void {
  const callId = known ?? scene.hiding.openCallId(message.callId);
  if (callId !== message.callId) edit.replace('Call-ID', callId);
  for (const { name, id } of TARGET_FIELDS) {
    if (!message.holds(id, HIDDEN_MARK)) continue;
    const value = message.header(id) ?? '';
    replaceIfChanged(edit, name, value, scene.hiding.openUris(value));
  }
  for (const { name, id } of DIALOG_ID_FIELDS) {
    if (!message.holds(id, HIDDEN_MARK)) continue;
    const value = message.header(id) ?? '';
    replaceIfChanged(edit, name, value, scene.hiding.openDialogId(value));
  }
  if (message.kind === 'response' && namesOthers(message.status)) openContacts(edit, message, scene);
}

/** RFC 3261 §21.3 and §21.4.20: what Contact says then is whom else to ask, and not where the sender is. */
function namesOthers(status: number): boolean {
  return (status >= 300 && status < 400) || status === 485;
}
function openContacts(edit: MessageEdit, response: SipResponse, { hiding }: Scene): void {
  const contacts = response.values('Contact');
  const opened = contacts.slice(0, MOST_CONTACTS).map((contact) => hiding.openUris(contact));
  if (contacts.length > opened.length || opened.some((contact, index) => contact !== contacts[index]))
    replaceWith(edit, 'Contact', opened);
}

/** Fields are looked for in every message, mostly in vain. */
function withIds(names: readonly string[]): readonly { readonly name: string; readonly id: HeaderId }[] {
  return names.map((name) => ({ name, id: headerId(name) }));
}

function replaceIfChanged(edit: MessageEdit, name: string, before: string, after: string): void {
  if (after !== before) edit.replace(name, after);
}
