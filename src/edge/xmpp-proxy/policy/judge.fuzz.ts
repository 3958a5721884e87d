import { XmlStreamReader } from '#protocols/xml';
import { partnerLimits } from '#protocols/xmpp';
import type { FuzzTarget } from '#tools/fuzz';
import { judgeInward, judgeOutward } from './judge.ts';
import { refusals } from './refusals.ts';
import { errorFor } from './stanza-errors.ts';

const HEADER = `<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`;
const FROM = `from='juliet@xmpp.example/a' to='romeo@sip.example'`;
const seeds = [
  `<message ${FROM} type='chat' id='1'><body>hello</body></message>`,
  `<presence ${FROM} type='subscribe'/>`,
  `<iq from='xmpp.example' to='sip.example' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>`,
  `<iq from='xmpp.example' to='sip.example' type='get' id='2'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
  `<iq from='xmpp.example' to='sip.example' type='result' id='3'/>`,
].map((stanza) => Buffer.from(HEADER + stanza));

export const targets: readonly FuzzTarget[] = [
  {
    name: 'xmpp-judge',
    seeds,
    run(input) {
      for (const event of new XmlStreamReader(partnerLimits).read(input, 0)) {
        if (event.type !== 'element') continue;
        const verdict = judgeInward(event.element);
        judgeOutward(event.element);
        const kind = event.element.name;
        if (verdict.outcome === 'pass' && kind !== 'message' && kind !== 'presence')
          throw new Error(`${kind} passed`);
        for (const refusal of refusals) {
          const error = errorFor(event.element, refusal);
          if (error !== undefined && errorFor(error, refusal) !== undefined)
            throw new Error('an error is answered');
        }
      }
    },
  },
];
