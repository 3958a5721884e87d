export { bareOf, bareOfSip, jidOfSip, sipOfJid } from './addresses.ts';
export { type ChatMessage, languageTag, readChatMessage, writeChatMessage } from './chat-message.ts';
export { conditionOf, type StanzaCondition, statusOf } from './conditions.ts';
export { ACCEPTED_TYPES, type InstantMessage, readInstantMessage } from './instant-message.ts';
export { type DevicePresence, readPresence, writePresence } from './presence.ts';
export { readPresenceDocument, writePresenceDocument } from './presence-document.ts';
export { CPIM_TYPE, writeDelivered } from './receipts.ts';
export { errorReply, type StanzaError, stanzaErrorOf } from './stanza-error.ts';
export { chatStateOf, TYPING_TYPE, typingOf, writeTyping } from './typing.ts';
