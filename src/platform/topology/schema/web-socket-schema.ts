import * as setting from './setting.ts';

/** SIP over WebSocket (RFC 7118) on a port of clients. */
export function sipOverWebSocket(where: string, rows: readonly string[]) {
  return setting.optionalSection(`SIP over WebSocket, ${where}.`, webSocketSettings(rows));
}

/** The same on a port of its own. */
export function webSocketPort(where: string, rows: readonly string[]) {
  return setting.optionalSection(`SIP over WebSocket, ${where}.`, {
    ...webSocketSettings(rows),
    port: setting.port(5063, {
      sentence: 'Its TCP port, which asks nobody for a certificate. Browsers refuse 5060 and 5061.',
      rows,
    }),
  });
}

function webSocketSettings(rows: readonly string[]) {
  return {
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
  };
}
