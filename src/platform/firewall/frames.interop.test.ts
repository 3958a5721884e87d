import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scenario } from '../topology/testing/scenarios.ts';
import { renderRuleset } from './formats/render.ts';
import { firewallRuleset } from './rulesets/ruleset.ts';
import { datagram, linkAddress, routerAdvertisement, send } from './testing/frames.ts';
import { addresses, cable, namespace, needsRoot } from './testing/namespaces.ts';

const AV = '2001:db8:1::30';
/** Sources that stand for an internal, a loopback and no address where a socket hands them on. */
const NOBODIES = ['::ffff:a2d:200b', '::ffff:7f00:1', '::'];
const SOMEBODY = '2001:db8:9::9';

/** Counts what gets behind the rules of an edge. */
const BEHIND = `table inet seen {
  counter arrived {
  }
  chain behind {
    type filter hook input priority 100;
    udp dport 3478 counter name "arrived"
  }
}
`;

const text = (format: 'nftables' | 'iptables') =>
  renderRuleset(firewallRuleset(scenario('s1-dual'), 'host'), format);
const loaders = {
  nftables: [['nft', '-f', '-']],
  iptables: [['iptables-restore'], ['ip6tables-restore']],
} as const;

for (const format of ['nftables', 'iptables'] as const) {
  test(`frames that somebody makes up, and ${format}`, { skip: needsRoot }, async (t) => {
    const [edge, link] = [
      namespace(`${format.slice(0, 3)}-frame-e`),
      namespace(`${format.slice(0, 3)}-frame-l`),
    ];
    t.after(() => {
      for (const host of [edge, link]) host.close();
    });
    for (const host of [edge, link]) host.open();
    cable(edge, 'external', link, 'edge');
    addresses(edge, 'external', `${AV}/64`);
    edge.must('ip', ['route', 'add', 'default', 'via', '2001:db8:1::1', 'dev', 'external', 'metric', '2000']);
    edge.must('sysctl', ['-qw', 'net.ipv6.conf.external.accept_ra=1']);
    edge.must('nft', ['-f', '-'], BEHIND);
    const announced = () => edge.must('ip', ['-6', 'route', 'show', 'proto', 'ra', 'default']).trim();
    const arrived = () => {
      const listed = edge.must('nft', ['list', 'counter', 'inet', 'seen', 'arrived']);
      return Number(/packets (\d+)/.exec(listed)?.[1]);
    };
    const from = (source: string) =>
      send(link, 'edge', datagram(linkAddress(edge, 'external'), source, AV, 3478));

    send(link, 'edge', routerAdvertisement('fe80::bad'));
    assert.match(announced(), /via fe80::bad/, 'without rules the edge believes it');
    edge.must('ip', ['-6', 'route', 'delete', 'default', 'proto', 'ra']);
    for (const source of NOBODIES) from(source);
    assert.equal(arrived(), NOBODIES.length, 'without rules they arrive');
    for (const [program, ...parameters] of loaders[format]) edge.must(program, parameters, text(format));

    await t.test('a router that announces itself does not become the default route', () => {
      send(link, 'edge', routerAdvertisement('fe80::bad'));
      assert.equal(announced(), '');
    });
    await t.test(
      '"any" is nobody who has no address, or whose address is an internal one in disguise',
      () => {
        for (const source of NOBODIES) from(source);
        assert.equal(arrived(), NOBODIES.length);
        from(SOMEBODY);
        assert.equal(arrived(), NOBODIES.length + 1);
      },
    );
  });
}
