import { child, element, readXmlDocument, textOf, writeXmlDocument, type XmlLimits } from '#protocols/xml';

/** Chat states (XEP-0085 §2). */
export const chatStates = ['active', 'composing', 'paused', 'inactive', 'gone'] as const;
export type ChatState = (typeof chatStates)[number];

/** What SIP knows of somebody at a keyboard (RFC 3994 §3.2). */
export type Typing = 'active' | 'idle';

export const TYPING_TYPE = 'application/im-iscomposing+xml';
/** The older form, as an INFO in the session. */
export const KEYBOARD_TYPE = 'application/xml';

const NAMESPACE = 'urn:ietf:params:xml:ns:im-iscomposing';
/** After so many seconds without another indication the reader forgets it (RFC 3994 §3.3: at least 60). */
const REFRESH_SECONDS = '90';
export const smallDocument: XmlLimits = {
  bytes: 4096,
  depth: 8,
  attributes: 16,
  elements: 32,
  nameLength: 64,
  declarations: 16,
};

/** RFC 7573 §6: what a SIP user is told for a chat state; nothing for the end of a conversation, which is a BYE. */
export function typingOf(state: ChatState): Typing | undefined {
  if (state === 'gone') return undefined;
  return state === 'composing' ? 'active' : 'idle';
}
export function chatStateOf(typing: Typing): ChatState {
  return typing === 'active' ? 'composing' : 'active';
}

export function writeTyping(typing: Typing): Buffer {
  const state = element(NAMESPACE, 'state', {}, [typing]);
  const rest =
    typing === 'idle'
      ? []
      : [
          element(NAMESPACE, 'contenttype', {}, ['text/plain']),
          element(NAMESPACE, 'refresh', {}, [REFRESH_SECONDS]),
        ];
  return writeXmlDocument(element(NAMESPACE, 'isComposing', {}, [state, ...rest]));
}

/** RFC 3994 §6; a state that is unknown counts as idle (§3.2). */
export function readTyping(body: Uint8Array): Typing | undefined {
  const document = readXmlDocument(body, smallDocument);
  if (!document.ok || document.value.namespace !== NAMESPACE || document.value.name !== 'isComposing') {
    return undefined;
  }
  const state = child(document.value, 'state', NAMESPACE);
  if (state === undefined) return undefined;
  return textOf(state).trim() === 'active' ? 'active' : 'idle';
}

/** The body of an INFO: `<KeyboardActivity><status status="type"/></KeyboardActivity>`. */
export function readKeyboard(body: Uint8Array): Typing | undefined {
  const document = readXmlDocument(body, smallDocument);
  if (!document.ok || document.value.name !== 'KeyboardActivity') return undefined;
  const status = child(document.value, 'status')?.attributes.get('status');
  if (status === 'type') return 'active';
  return status === 'idle' ? 'idle' : undefined;
}
