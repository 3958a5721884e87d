import { parseNameAddress } from '#protocols/sip';
import type { FuzzTarget } from '#tools/fuzz';
import { Disclosure, Seal, TopologyHiding } from './index.ts';

const seal = new Seal({ current: Buffer.alloc(32, 9), others: [] });
const disclosure = new Disclosure({
  publicHosts: ['example.com', 'sip.example.com'],
  internalHosts: ['fe1.corp.example', '10.45.32.11'],
  internalNetworks: ['10.45.0.0/16', 'fd00:45::/32'],
});
const hiding = new TopologyHiding(seal, disclosure, { host: 'sip.example.com', port: 443 });
const hidden = hiding.targets.hide('sip:bob@fe1.corp.example;transport=tls');

/** What clients and the next hop write into addresses, and what clients send back as ours. */
export const targets: readonly FuzzTarget[] = [
  {
    name: 'access/hide-address',
    seeds: [
      Buffer.from('"Bob" <sip:bob@10.45.32.11:5061;transport=tls>;expires=60'),
      Buffer.from('<sip:bob@fe1.corp.example?Replaces=7@10.45.1.2%3Bto-tag%3D1>'),
    ],
    run(input) {
      const value = Buffer.from(input).toString('utf8');
      const address = parseNameAddress(value);
      const shown = hiding.hideUris(value);
      if (!address.ok || !value.includes('<')) return;
      const uri = address.value.uri;
      const seen = hiding.targets.hide(uri);
      if (seen !== uri && hiding.targets.open(seen) !== uri) throw new Error('a hidden target does not open');
      if (shown.length > 8 * value.length + 4096) throw new Error('hiding grows without bound');
    },
  },
  {
    name: 'access/open-address',
    seeds: [Buffer.from(`<${hidden}>`), Buffer.from(hidden), Buffer.from(hiding.hideCallId('a@10.45.1.2'))],
    run(input) {
      const value = Buffer.from(input).toString('utf8');
      const opened = hiding.targets.open(value);
      if (opened !== undefined && userOf(hiding.targets.hide(opened)) !== userOf(value))
        throw new Error('opened what was never sealed');
      const callId = hiding.openCallId(value);
      if (callId !== value && `~${seal.seal('call-id', callId)}` !== value)
        throw new Error('opened a Call-ID that was never sealed');
      hiding.openUris(value);
      hiding.openDialogId(value);
      hiding.unfoldRoutes(value);
    },
  },
];

/** Between scheme and host. */
function userOf(uri: string): string {
  return uri.slice(uri.indexOf(':') + 1, uri.indexOf('@'));
}
