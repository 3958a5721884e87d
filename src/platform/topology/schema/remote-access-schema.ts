import * as setting from './setting.ts';

const webSocket = setting.optionalSection('SIP over WebSocket, on the port of the clients.', {
  enabled: setting.toggle(false, {
    sentence: 'Whether clients may speak SIP over WebSocket.',
    reload: 'live',
    rows: ['ext-05'],
  }),
  origins: setting.textsOrNone('a list of web origins', setting.webOrigin, {
    sentence: 'Origins of the pages that may; a client that is no browser names none, and is let in without.',
    reload: 'live',
    example: ['https://phone.example.com'],
    mostItems: 100,
  }),
});

/** policy.remoteAccess */
export const remoteAccess = setting.optionalSection('Clients outside, whoever they are.', {
  webSocket,
});
