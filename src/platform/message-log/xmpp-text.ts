import { normaliseKey } from '#protocols/log-query';
import { bodyText } from './body-text.ts';
import type { MessageText } from './stun-text.ts';
import { traceOf } from './trace-id.ts';

const START = /^<([A-Za-z]{1,16})((?:\s[^<>]*)?)\/?>/;
const TEXT = />([^<>]+)</g;

/** A stanza as it crossed: who, to whom, of which kind; what people wrote only if somebody asks for bodies. */
export function xmppText(
  bytes: Uint8Array,
  bodies: boolean,
): (MessageText & { readonly body?: string }) | undefined {
  const whole = Buffer.from(bytes).toString('utf8');
  const start = START.exec(whole);
  if (start === null) return undefined;
  const [, method = '', attributes = ''] = start;
  const attribute = (name: string) => new RegExp(`\\s${name}=["']([^"']*)["']`).exec(attributes)?.[1] ?? '';
  const parties = [attribute('from'), attribute('to')].filter((jid) => jid !== '');
  const bare = parties.map((jid) => normaliseKey('uri', jid.replace(/\/.*$/s, '')));
  const id = attribute('id');
  const type = attribute('type');
  return {
    text: bodyText(
      'application/xml',
      whole.replace(TEXT, (_, inner: string) => `>[${inner.length} characters]<`),
    ),
    fields: { method, ...(type === '' ? {} : { type: type.slice(0, 32) }) },
    keys: {
      uri: bare,
      domain: [...new Set(bare.map((address) => address.slice(address.lastIndexOf('@') + 1)))],
      ...(id === '' ? {} : { trace: [traceOf(`${bare.join(' ')} ${id}`)] }),
    },
    ...(bodies ? { body: bodyText('application/xml', whole) } : {}),
  };
}
