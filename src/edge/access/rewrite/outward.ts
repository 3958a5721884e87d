import {
  type HeaderId,
  headerId,
  MessageEdit,
  maxBreadth,
  parseNameAddress,
  parseSipUri,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  sameSipUri,
} from '#protocols/sip';
import { DEFAULT_MAX_FORWARDS } from '../policy/common.ts';
import type { DeliverOutward } from '../policy/from-next-hop.ts';
import { isNotForOutside } from '../trust.ts';
import { hideFragment } from './fragment.ts';
import { distinctNames } from './names.ts';
import { foldRecordRoute, RECORD_ROUTE } from './recorded-routes.ts';
import { externalUri, externalVia, isExternalUri, type Scene, shownBy } from './scene.ts';

/** Contacts of one message that are shown; far more than one person has devices. */
const MOST_CONTACTS = 128;
const NOBODY = 'sip:hidden.invalid';
/** Stands for all Vias of the inside, so that a client sees a request that was passed on, and not by whom. */
const HIDDEN_VIA = 'SIP/2.0/TLS hidden.invalid;branch=z9hG4bKhidden';

/** A request of the next hop as the client gets it: no Via, route, target or Call-ID of the inside. */
export function outwardRequest(
  request: SipRequest,
  decision: DeliverOutward,
  token: string,
  branch: string,
  scene: Scene,
  more?: (edit: MessageEdit) => void,
): Buffer {
  const { settings, hiding } = scene;
  const edit = new MessageEdit(request);
  const target = targetOutward(request, decision, scene);
  if (target !== request.uri) edit.requestUri(target);
  scrub(edit, request, scene);
  hideParties(edit, request, scene);
  hideContacts(edit, request, [], scene);
  const callId = hiding.hideCallId(request.callId, shownBy(request));
  if (callId !== request.callId) edit.replace('Call-ID', callId);
  edit.replace('Max-Forwards', String((request.maxForwards ?? DEFAULT_MAX_FORWARDS + 1) - 1));
  edit.replace('Max-Breadth', String(maxBreadth(request)));
  if (decision.routes.length > 0) edit.replace('Route', decision.routes.join(', '));
  else edit.remove('Route');
  if (decision.recordRoute || request.has('Record-Route')) {
    const behind = hiding.foldRoutes(request.values('Record-Route'));
    edit.replace('Record-Route', `<${externalUri(settings, token, behind)}>`);
  }
  // Only answers have one (RFC 3608), and there it becomes ours.
  if (request.has('Service-Route')) edit.remove('Service-Route');
  const ours = `${externalVia(settings)};branch=${branch}`;
  edit.replace('Via', `${ours}, ${HIDDEN_VIA}`);
  hideFragment(edit, request, scene);
  more?.(edit);
  return edit.toBytes();
}

/**
 * A target outside is the client's own, or of whom it has behind it. Where it passed a call on to somebody else, by us, the
 * target is theirs, and it knows it as we showed it.
 */
function targetOutward(request: SipRequest, { requestUri, routes }: DeliverOutward, scene: Scene): string {
  const uri = requestUri ?? request.uri;
  if (routes.length === 0) return uri;
  return routes.some((route) => isExternalUri(route, scene)) ? scene.hiding.targets.hide(uri) : uri;
}

/** The next hop's response as the client gets it; our Via is already off it. */
export function hideOutward(
  edit: MessageEdit,
  response: SipResponse,
  original: { readonly request: SipRequest; readonly token: string },
  scene: Scene,
): void {
  const { request, token } = original;
  if (scene.hiding.disclosure.mentionsInternal(response.reason)) edit.plainReason();
  scrub(edit, response, scene);
  echoParties(edit, response, request, scene);
  hideContacts(edit, response, request.method === 'REGISTER' ? request.values('Contact') : [], scene);
  if (response.callId !== request.callId) edit.replace('Call-ID', request.callId);
  if (response.has(RECORD_ROUTE)) foldRecordRoute(edit, response, original, scene);
  if (!response.has(SERVICE_ROUTE)) return;
  const services = response.values(SERVICE_ROUTE);
  if (services.length > 0) {
    // RFC 3608: the client preloads it, and gets the real routes back through ours.
    edit.replace(
      'Service-Route',
      `<${externalUri(scene.settings, token, scene.hiding.foldRoutes(services))}>`,
    );
  }
}

/** Addresses of record pass as they are, but for those at a host of the inside: a service of its own that speaks. */
function hideParties(edit: MessageEdit, request: SipRequest, { hiding }: Scene): void {
  for (const name of ['From', 'To'] as const) {
    const { uri, tag } = name === 'From' ? request.from : request.to;
    if (!hiding.disclosure.mentionsInternal(uri)) continue;
    const shown = hiding.hideUris(request.header(name) ?? '');
    // What is no address, and tells all the same, is nobody's.
    const nobody = `<${NOBODY}>${tag === undefined ? '' : `;tag=${tag}`}`;
    edit.replace(name, hiding.disclosure.mentionsInternal(shown) ? nobody : shown);
  }
}

/** RFC 3261 §8.2.6.2: both stand in a response as in its request, which may have had them hidden. */
function echoParties(edit: MessageEdit, response: SipResponse, request: SipRequest, { hiding }: Scene): void {
  const { disclosure } = hiding;
  if (disclosure.mentionsInternal(response.from.uri)) edit.replace('From', request.header('From') ?? '');
  if (!disclosure.mentionsInternal(response.to.uri)) return;
  const { tag } = response.to;
  const own = request.header('To') ?? '';
  edit.replace('To', request.to.tag !== undefined || tag === undefined ? own : `${own};tag=${tag}`);
}

const CONTACT = headerId('Contact');
const SERVICE_ROUTE = headerId('Service-Route');

function hideContacts(edit: MessageEdit, message: SipMessage, own: readonly string[], scene: Scene): void {
  if (!message.has(CONTACT)) return;
  const contacts = message.values(CONTACT);
  if (contacts.length === 0) return;
  const ownUris = own.slice(0, MOST_CONTACTS).map(uriOf);
  const shown = contacts.map((contact, index) => {
    return index < MOST_CONTACTS ? shownContact(contact, ownUris, scene) : undefined;
  });
  replaceShown(edit, 'Contact', contacts, shown, scene);
}

/** What a client is shown of a Contact: its own ones as they are, others with their host hidden. */
function shownContact(
  contact: string,
  own: readonly (string | undefined)[],
  scene: Scene,
): string | undefined {
  const uri = uriOf(contact);
  if (uri === undefined) return discreet(contact, scene);
  if (own.some((mine) => mine !== undefined && isSame(mine, uri))) return contact;
  return discreet(
    contact.includes('<') ? scene.hiding.hideUris(contact) : hideBare(contact, uri, scene),
    scene,
  );
}

/** The text, unless it still tells something internal. */
function discreet(text: string, scene: Scene): string | undefined {
  return scene.hiding.disclosure.mentionsInternal(text) ? undefined : text;
}

/** Puts what may be shown in place of a field's values; `undefined` among them is left out. */
function replaceShown(
  edit: MessageEdit,
  name: string,
  values: readonly string[],
  shown: readonly (string | undefined)[],
  scene: Scene,
): void {
  if (shown.every((value, index) => value === values[index])) return;
  const left = shown.filter((value): value is string => value !== undefined && standsAlone(value));
  if (left.length < values.length) scene.scrubbed();
  if (left.length === 0) edit.remove(name);
  else if (left.length <= MOST_CONTACTS) writeLines(edit, name, left);
  else edit.replace(name, left.join(', '));
}

/** One line a value: together, and longer than they were, they might be longer than a line may be. */
function writeLines(edit: MessageEdit, name: string, [first = '', ...others]: readonly string[]): void {
  edit.replace(name, first);
  for (const value of others) edit.append(name, value);
}

/** False for a value with a quotation mark or bracket left open: it would swallow what is written behind it. */
function standsAlone(value: string): boolean {
  let quoted = false;
  let bracket = false;
  for (let i = 0; i < value.length; i++) {
    const character = value[i];
    if (quoted) {
      if (character === '\\') i++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '<') bracket = true;
    else if (character === '>') bracket = false;
  }
  return !quoted && !bracket;
}

/** A Contact without angle brackets: what follows the first semicolon belongs to the header. */
function hideBare(contact: string, uri: string, scene: Scene): string {
  return `<${scene.hiding.targets.hide(uri)}>${contact.slice(contact.indexOf(uri) + uri.length)}`;
}

function uriOf(contact: string): string | undefined {
  const address = parseNameAddress(contact);
  return address.ok ? address.value.uri : undefined;
}

function isSame(one: string, other: string): boolean {
  if (one === other) return true;
  const [left, right] = [parseSipUri(one), parseSipUri(other)];
  return left.ok && right.ok && sameSipUri(left.value, right.value);
}

type Treatment = 'keep' | 'uris' | 'dialog-id' | 'warning' | 'scan' | 'remove';

const TREATMENTS: ReadonlyMap<string, Treatment> = new Map<string, Treatment>([
  // Rewritten by name elsewhere in this file.
  ...treat('keep', [
    'Via',
    'Route',
    'Record-Route',
    'Service-Route',
    'Contact',
    'Call-ID',
    'Max-Forwards',
    'Max-Breadth',
  ]),
  ...treat('keep', ['From', 'To', 'CSeq', 'Content-Length']),
  // The client computes with these to the letter; a realm is the operator's own choice.
  ...treat('keep', [
    'WWW-Authenticate',
    'Proxy-Authenticate',
    'Authentication-Info',
    'Proxy-Authentication-Info',
  ]),
  ...treat('uris', ['Refer-To', 'Referred-By', 'Reply-To']),
  ...treat('dialog-id', ['Replaces', 'Join', 'Target-Dialog', 'In-Reply-To', 'SIP-ETag']),
  ...treat('warning', ['Warning']),
]);

function treat(treatment: Treatment, names: readonly string[]): [string, Treatment][] {
  return names.map((name) => [name, treatment]);
}

/** Those that are kept and have an id. */
const KEPT: ReadonlySet<HeaderId> = new Set(
  [...TREATMENTS]
    .filter(([, treatment]) => treatment === 'keep')
    .map(([name]) => headerId(name))
    // 0 would be every name without an id.
    .filter((id) => id !== 0),
);

/** RFC 3325 §7: who asked for privacy is not named to anyone outside. */
function wantsPrivacy(message: SipMessage): boolean {
  return /\bid\b/i.test(message.header('Privacy') ?? '');
}

/** Every other field passes only if it tells nothing internal; those of the inside never do. */
function scrub(edit: MessageEdit, message: SipMessage, scene: Scene): void {
  for (const name of distinctNames(message, KEPT)) {
    const treatment = TREATMENTS.get(name) ?? (isNotForOutside(name) ? 'remove' : 'scan');
    if (name === 'P-Asserted-Identity' && wantsPrivacy(message)) edit.remove(name);
    else if (treatment !== 'keep') applyTreatment(treatment, name, edit, message, scene);
  }
}

function applyTreatment(
  treatment: Exclude<Treatment, 'keep'>,
  name: string,
  edit: MessageEdit,
  message: SipMessage,
  scene: Scene,
): void {
  const values = message.values(name);
  const shown = values.map((value) => shownValue(treatment, value, scene));
  replaceShown(edit, name, values, shown, scene);
}

/** What a client is shown of one value; undefined: nothing. */
function shownValue(treatment: Exclude<Treatment, 'keep'>, value: string, scene: Scene): string | undefined {
  const { hiding, settings } = scene;
  switch (treatment) {
    case 'remove':
      return undefined;
    case 'uris':
      return discreet(hiding.hideUris(value), scene);
    case 'dialog-id':
      return discreet(hiding.hideDialogId(value), scene);
    case 'warning':
      return hiding.disclosure.mentionsInternal(value) ? publicWarning(value, settings.external.host) : value;
    case 'scan':
      return discreet(value, scene);
  }
}

/** Why the inside gives up a call, as far as that may be told outside (RFC 3326). */
export function shownReasons(reasons: readonly string[], { hiding }: Scene): readonly string[] {
  return reasons.filter((reason) => standsAlone(reason) && !hiding.disclosure.mentionsInternal(reason));
}

/** A warning keeps its code; who gave it and a text that names insiders do not leave (RFC 3261 §20.43). */
function publicWarning(value: string, host: string): string | undefined {
  const code = /^(\d{3}) /.exec(value)?.[1];
  return code === undefined ? undefined : `${code} ${host} "Warning of an internal server"`;
}
