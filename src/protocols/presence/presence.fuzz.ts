import assert from 'node:assert/strict';
import type { FuzzTarget } from '#tools/fuzz';
import { composePresence } from './compose.ts';
import { presenceLimits } from './limits.ts';
import { readPidf, writePidf } from './pidf.ts';
import { readWatcherInfo, writeWatcherInfo } from './watcher-info.ts';

const roomy = { ...presenceLimits, bytes: 1 << 20, elements: 10_000, declarations: 10_000 };
const seeds = [
  `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:a@b"><tuple id="x"><status><basic>open</basic>
  <show xmlns="jabber:client">away</show></status><contact priority="0.8">sip:a@b</contact><note xml:lang="en">n</note>
  <timestamp>2001-10-27T16:49:29Z</timestamp></tuple><note>all</note></presence>`,
  `<p:presence xmlns:p="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"
  xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" entity="sip:a@b"><dm:person id="p"><r:activities><r:meeting/></r:activities>
  <dm:note>busy</dm:note></dm:person></p:presence>`,
  `<watcherinfo xmlns="urn:ietf:params:xml:ns:watcherinfo" version="0" state="full"><watcher-list
  resource="sip:a@b" package="presence"><watcher status="pending" id="1" event="subscribe" expiration="5">sip:c@d</watcher>
  </watcher-list></watcherinfo>`,
].map((text) => Buffer.from(text));

export const targets: readonly FuzzTarget[] = [
  {
    name: 'presence-pidf',
    seeds,
    run(input) {
      const read = readPidf(input);
      if (!read.ok) return;
      assert.deepEqual(readPidf(writePidf(read.value), roomy), read);
      const source = { name: 'other', document: read.value };
      const { tuples } = composePresence(read.value.entity, [source, source]);
      assert.equal(new Set(tuples.map(({ id }) => id)).size, read.value.tuples.length * 2);
    },
  },
  {
    name: 'presence-watcher-info',
    seeds,
    run(input) {
      const read = readWatcherInfo(input);
      if (read.ok) assert.deepEqual(readWatcherInfo(writeWatcherInfo(read.value), roomy), read);
    },
  },
];
