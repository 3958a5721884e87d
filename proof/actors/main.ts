import { NameServer } from '../../src/apps/lab/name-server.ts';
import { ConferencingActor } from './conferencing-actor.ts';
import { fetchText } from './fetch-text.ts';
import { GatewayActor } from './gateway-actor.ts';
import { PhoneActor } from './phone-actor.ts';
import { RelayActor } from './relay-actor.ts';
import { TcpListeners } from './tcp-listeners.ts';
import { TcpPeer } from './tcp-peer.ts';
import { TcpRelayActor } from './tcp-relay-actor.ts';
import { UdpPeer } from './udp-peer.ts';

/*
 * What an actor can do, one verb each. The proof calls them over the channel to this process; arguments and answers
 * are plain data. The types of `Actor.call` come from here.
 */
const phone = new PhoneActor();
const relays = new RelayActor();
const tcpRelays = new TcpRelayActor();
const peer = new UdpPeer();
const tcpPeer = new TcpPeer();
const gateway = new GatewayActor();
const conferencing = new ConferencingActor();
const listeners = new TcpListeners();

const verbs = {
  /** Serves these names by DNS over UDP; gives `address:port`. */
  serveNames: async ({ address, hosts }: { address: string; hosts: Record<string, string> }) =>
    (await NameServer.start(address, new Map(Object.entries(hosts)))).place,
  fetchText,
  signIn: phone.signIn.bind(phone),
  message: phone.message.bind(phone),
  nextMessage: phone.nextMessage.bind(phone),
  relayCredentials: phone.relayCredentials.bind(phone),
  openRelay: relays.open.bind(relays),
  connectRelay: relays.connect.bind(relays),
  sendByRelay: relays.send.bind(relays),
  receivedByRelay: relays.received.bind(relays),
  closeRelay: relays.close.bind(relays),
  openTcpRelay: tcpRelays.open.bind(tcpRelays),
  permitByTcpRelay: tcpRelays.permit.bind(tcpRelays),
  askByTcpRelay: tcpRelays.ask.bind(tcpRelays),
  answerByTcpRelay: tcpRelays.answer.bind(tcpRelays),
  closeTcpRelay: tcpRelays.close.bind(tcpRelays),
  openLink: gateway.openLink.bind(gateway),
  sendByLink: gateway.sendByLink.bind(gateway),
  nextByLink: gateway.nextByLink.bind(gateway),
  openConferencing: conferencing.open.bind(conferencing),
  conferenceToken: conferencing.token.bind(conferencing),
  conferenceParticipants: conferencing.participants.bind(conferencing),
  joinConference: conferencing.join.bind(conferencing),
  openPeer: peer.open.bind(peer),
  sendAsPeer: peer.send.bind(peer),
  heardAsPeer: peer.heard.bind(peer),
  closePeer: peer.close.bind(peer),
  openTcpPeer: tcpPeer.open.bind(tcpPeer),
  callersOfTcpPeer: tcpPeer.callers.bind(tcpPeer),
  dialAsTcpPeer: tcpPeer.dial.bind(tcpPeer),
  closeTcpPeer: tcpPeer.close.bind(tcpPeer),
  listenTcp: listeners.listen.bind(listeners),
  closeTcp: listeners.close.bind(listeners),
};
export type Verbs = typeof verbs;

interface Order {
  readonly id: number;
  readonly verb: keyof Verbs;
  readonly argument: unknown;
}

process.on('message', (order: Order) => {
  const reply = (answer: object) => process.send?.({ id: order.id, ...answer });
  Promise.resolve()
    .then(() => (verbs[order.verb] as (argument: unknown) => unknown)(order.argument))
    .then((value) => reply({ value }))
    .catch((problem: unknown) =>
      reply({ error: problem instanceof Error ? problem.message : String(problem) }),
    );
});
process.once('disconnect', () => process.exit(0));
