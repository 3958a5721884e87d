import * as setting from './setting.ts';

/** The log controller of internal.yaml. */
export const logController = setting.optionalSection(
  'The log controller, which asks the edges what happened.',
  {
    edges: setting.sectionsOrNone('The edges whose logging agents are asked; with none, nobody is.', {
      name: setting.text('a fully qualified domain name', setting.domainName, {
        sentence: "The edge's host.name, which its certificate must hold.",
        reload: 'live',
        example: 'edge1.example.com',
      }),
      address: setting.text('an IPv4 or IPv6 address', setting.hostAddress, {
        sentence: "The edge's internal address.",
        reload: 'live',
        example: '10.45.16.10',
      }),
      controlPort: setting.port(50_001, {
        sentence: 'Internal TCP port on which its logging agent takes commands.',
        rows: ['int-09'],
      }),
      searchPort: setting.port(50_002, {
        sentence: 'Internal TCP port on which its logging agent is searched.',
        rows: ['int-10'],
      }),
      collectionPort: setting.port(50_003, {
        sentence: 'Internal TCP port from which its logs are copied and followed.',
        rows: ['int-11'],
      }),
    }),
    answerSeconds: setting.integer({
      sentence:
        'An agent that says nothing for so long is told to be silent, and the others go on without it.',
      reload: 'live',
      unit: 'seconds',
      default: 15,
      floor: 1,
      ceiling: 300,
    }),
  },
);
