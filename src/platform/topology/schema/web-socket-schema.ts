import * as setting from './setting.ts';

/** SIP over WebSocket (RFC 7118) on a port of clients. */
export function sipOverWebSocket(where: string, rows: readonly string[]) {
  return setting.optionalSection(`SIP over WebSocket, ${where}.`, {
    enabled: setting.toggle(false, {
      sentence: 'Whether clients may speak SIP over WebSocket.',
      reload: 'live',
      rows,
    }),
    origins: setting.textsOrNone('a list of web origins', setting.webOrigin, {
      sentence:
        'Origins of the pages that may; a client that is no browser names none, and is let in without.',
      reload: 'live',
      example: ['https://phone.example.com'],
      mostItems: 100,
    }),
  });
}
