import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ok } from '#kernel';
import {
  AttributeType,
  checkMessageIntegrity,
  checkMessageIntegritySha256,
  decodeText,
  ErrorCode,
  encodeMessageIntegrity,
  encodeMessageIntegritySha256,
  encodePasswordAlgorithm,
  encodePasswordAlgorithms,
  encodeRequestedTransport,
  encodeText,
  longTermKey,
  MessageClass,
  Method,
  type StunMessage,
  type StunWriter,
  securityFeatures,
  userhash,
} from '#protocols/stun';
import { errorOf, PASSWORD, REALM, RelayStage, type StagedClient } from '../testing/relay-stage.ts';
import type { CredentialVerifier } from './credential-verifier.ts';

const key = longTermKey('alice', REALM, PASSWORD);

/** A request with exactly these credentials. */
function raw(client: StagedClient, parts: (writer: StunWriter) => void): StunMessage {
  const writer = client.begin(Method.Allocate, MessageClass.Request);
  encodeRequestedTransport(writer, 17);
  parts(writer);
  return client.ask(Buffer.from(writer.bytes));
}

const username = (writer: StunWriter, name = 'alice') =>
  encodeText(writer, AttributeType.Username, Buffer.from(name));
const realm = (writer: StunWriter) => encodeText(writer, AttributeType.Realm, Buffer.from(REALM));
const nonce = (writer: StunWriter, value: Uint8Array | undefined) =>
  encodeText(writer, AttributeType.Nonce, value ?? Buffer.from('nonsense'));

function isChallenge(message: StunMessage): boolean {
  const challenged =
    decodeText(message, AttributeType.Realm).ok && decodeText(message, AttributeType.Nonce).ok;
  return challenged && !message.hasIntegrity && !message.has(AttributeType.Username);
}

test('no integrity: 401 with realm and nonce, and nothing else, in less than 100 octets', () => {
  const stage = new RelayStage();
  const client = stage.client();
  for (const method of [Method.Allocate, Method.Refresh, Method.CreatePermission, Method.ChannelBind]) {
    const refusal = client.ask(client.bare(method));
    assert.equal(errorOf(refusal), ErrorCode.Unauthenticated);
    assert.ok(isChallenge(refusal));
    assert.ok(refusal.bytes.length < 100, `${refusal.bytes.length} octets`);
  }
});

test('integrity without USERNAME, REALM or NONCE: 400 without a challenge', () => {
  const stage = new RelayStage();
  const client = stage.client();
  client.challenge();
  for (const parts of [
    [realm, (w: StunWriter) => nonce(w, client.nonce)],
    [username, (w: StunWriter) => nonce(w, client.nonce)],
    [username, realm],
  ]) {
    const refusal = raw(client, (writer) => {
      for (const part of parts) part(writer);
      encodeMessageIntegrity(writer, key);
    });
    assert.equal(errorOf(refusal), ErrorCode.BadRequest);
    assert.ok(!isChallenge(refusal));
  }
});

test('an unknown user, a wrong password and a USERHASH nobody offered: 401', () => {
  const stage = new RelayStage();
  const client = stage.client();
  client.username = 'nobody';
  assert.equal(errorOf(client.ask(client.proven(Method.Allocate))), ErrorCode.Unauthenticated);
  client.username = 'alice';
  client.password = 'wrong';
  assert.equal(errorOf(client.ask(client.proven(Method.Allocate))), ErrorCode.Unauthenticated);
  const hashed = raw(client, (writer) => {
    writer.put(AttributeType.Userhash, Buffer.alloc(32));
    realm(writer);
    nonce(writer, client.nonce);
    encodeMessageIntegrity(writer, key);
  });
  assert.equal(errorOf(hashed), ErrorCode.Unauthenticated);
  assert.equal(stage.relay.allocations.size, 0);
});

test('a wrong password with a stale nonce is 401: the integrity is checked first', () => {
  const client = new RelayStage().client();
  client.nonce = Buffer.from('0123456789abcdef');
  client.password = 'wrong';
  assert.equal(errorOf(client.ask(client.proven(Method.Allocate))), ErrorCode.Unauthenticated);
});

test('a right password with a stale nonce is 438 with a nonce that works', () => {
  const stage = new RelayStage();
  const client = stage.client();
  client.challenge();
  stage.passUnswept(3_602);
  const refusal = client.ask(client.proven(Method.Allocate));
  assert.equal(errorOf(refusal), ErrorCode.StaleNonce);
  assert.ok(isChallenge(refusal));
  const fresh = decodeText(refusal, AttributeType.Nonce);
  client.nonce = fresh.ok ? fresh.value : undefined;
  client.allocate();
});

test('T7: a nonce of another client is stale, and nothing is kept before a valid one', () => {
  const stage = new RelayStage();
  const mallory = stage.client({ address: '198.51.100.66' });
  mallory.challenge();
  const victim = stage.client();
  victim.nonce = mallory.nonce;
  const request = victim.proven(Method.Allocate, (writer) => encodeRequestedTransport(writer, 17));
  assert.equal(errorOf(victim.ask(request)), ErrorCode.StaleNonce);
  assert.equal(stage.relay.allocations.size, 0);
  assert.equal(stage.sink.bind.length, 0);
  assert.equal(stage.relay.ports.taken, 0);
});

test('an expired credential is 401', () => {
  const stage = new RelayStage();
  stage.expiries.set('alice', stage.wall);
  const client = stage.client();
  assert.equal(errorOf(client.ask(client.proven(Method.Allocate))), ErrorCode.Unauthenticated);
});

test('MESSAGE-INTEGRITY-SHA256 with the same key is accepted, and answered in the SHA-1 form', () => {
  const client = new RelayStage().client();
  client.challenge();
  const answer = raw(client, (writer) => {
    username(writer);
    realm(writer);
    nonce(writer, client.nonce);
    encodeMessageIntegritySha256(writer, key);
  });
  assert.equal(answer.messageClass, MessageClass.Success);
  assert.ok(checkMessageIntegrity(answer, key));
});

test('errors after authentication carry integrity', () => {
  const client = new RelayStage().client();
  const refusal = client.ask(client.proven(Method.Refresh));
  assert.equal(errorOf(refusal), ErrorCode.AllocationMismatch);
  assert.ok(checkMessageIntegrity(refusal, key));
});

const sha256Key = longTermKey('alice', REALM, PASSWORD, 'sha256');

/** A request of a client that has taken SHA-256 from the offer, changed by `change`. */
function chosen(
  client: StagedClient,
  change: { algorithm?: string; algorithms?: string; nonce?: string } = {},
) {
  return raw(client, (writer) => {
    username(writer);
    realm(writer);
    nonce(writer, change.nonce === undefined ? client.nonce : Buffer.from(change.nonce));
    if (change.algorithms === undefined) encodePasswordAlgorithms(writer);
    else if (change.algorithms !== '')
      writer.put(AttributeType.PasswordAlgorithms, Buffer.from(change.algorithms, 'hex'));
    if (change.algorithm === undefined) encodePasswordAlgorithm(writer, 'sha256');
    else if (change.algorithm !== '')
      writer.put(AttributeType.PasswordAlgorithm, Buffer.from(change.algorithm, 'hex'));
    encodeMessageIntegritySha256(writer, sha256Key);
  });
}

test('the challenge offers SHA-256 and MD5 and says so in its nonce; who takes SHA-256 is answered in it', () => {
  const client = new RelayStage().client();
  const challenged = client.ask(client.bare(Method.Allocate));
  const offer = challenged.value(AttributeType.PasswordAlgorithms);
  assert.equal(Buffer.from(offer ?? []).toString('hex'), '0002000000010000');
  client.challenge();
  assert.equal(securityFeatures(client.nonce ?? new Uint8Array(0)), 1);
  const answer = chosen(client);
  assert.equal(answer.messageClass, MessageClass.Success);
  assert.ok(checkMessageIntegritySha256(answer, sha256Key));
  assert.ok(!answer.has(AttributeType.MessageIntegrity));
});

test('bidding down: an offer that was changed on its way, or a choice outside it, is 400', () => {
  const client = new RelayStage().client();
  client.challenge();
  for (const change of [
    { algorithms: '00010000' },
    { algorithms: '0001000000020000' },
    { algorithms: '' },
    { algorithm: '' },
    { algorithm: '00030000' },
    { algorithm: '0002000400000000' },
  ]) {
    assert.equal(errorOf(chosen(client, change)), ErrorCode.BadRequest, JSON.stringify(change));
  }
  assert.equal(chosen(client).messageClass, MessageClass.Success);
});

test('bidding down: a nonce whose cookie was changed or cut off is nobody\u2019s', () => {
  const client = new RelayStage().client();
  client.challenge();
  const nonceText = Buffer.from(client.nonce ?? []).toString();
  const cut = raw(client, (writer) => {
    username(writer);
    realm(writer);
    nonce(writer, Buffer.from(nonceText.slice(13)));
    encodeMessageIntegrity(writer, key);
  });
  assert.equal(errorOf(cut), ErrorCode.StaleNonce);
  const fewer = raw(client, (writer) => {
    username(writer);
    realm(writer);
    nonce(writer, Buffer.from(nonceText.replace('AAAB', 'AAAA')));
    encodeMessageIntegrity(writer, key);
  });
  assert.equal(errorOf(fewer), ErrorCode.StaleNonce);
});

test('USERHASH: whose name can be found by it may hide it, and hears of that only when it has shown the name', () => {
  const account = (name: string) =>
    ok({
      keys: [key],
      user: `account:${name}`,
      expires: Number.POSITIVE_INFINITY,
      username: Buffer.from('alice'),
      anonymity: true as const,
    });
  const stage = new RelayStage({
    verifier: {
      lookup: (name) => account(Buffer.from(name).toString()),
      lookupHash: (hash, of) =>
        userhash('alice', of).equals(hash) ? account('alice') : { ok: false, error: 'unknown' },
    },
  });
  const client = stage.client();
  client.challenge();
  const hidden = (hash: Uint8Array) =>
    raw(client, (writer) => {
      writer.put(AttributeType.Userhash, hash);
      realm(writer);
      nonce(writer, client.nonce);
      encodeMessageIntegrity(writer, key);
    });
  assert.equal(errorOf(hidden(userhash('mallory', REALM))), ErrorCode.Unauthenticated);
  assert.equal(hidden(userhash('alice', REALM)).messageClass, MessageClass.Success);
  assert.equal(client.refresh(), 0, 'the same user by name');
  stage.passUnswept(3_602);
  const stale = client.ask(client.proven(Method.Refresh));
  const fresh = decodeText(stale, AttributeType.Nonce);
  assert.equal(fresh.ok && securityFeatures(fresh.value), 3);
});

test('what an allocation has proved is not worked out again; what may have changed since is asked every time', () => {
  let lookups = 0;
  const wall = { ends: Number.POSITIVE_INFINITY };
  const verifier: CredentialVerifier = {
    lookup: (name, of, _wall, algorithm) => {
      lookups++;
      const keys = ['older secret', PASSWORD].map((word) => longTermKey(name, of, word, algorithm));
      return ok({ keys, user: Buffer.from(name).toString(), expires: wall.ends });
    },
  };
  const stage = new RelayStage({ verifier });
  const client = stage.client();
  client.allocate();
  assert.equal(lookups, 1);
  assert.deepEqual([client.permit(['192.0.2.1', 9]), client.refresh(), lookups], [0, 0, 1]);

  client.password = 'wrong';
  assert.equal(client.refresh(), ErrorCode.Unauthenticated, 'the integrity');
  client.password = 'older secret';
  assert.equal(client.refresh(), 0, 'another secret that is honoured');
  client.username = 'bob';
  assert.equal(client.refresh(), ErrorCode.WrongCredentials, 'the name');
  client.username = 'alice';
  client.password = PASSWORD;
  assert.equal(client.refresh(3_600), 0);

  stage.passUnswept(3_500);
  assert.equal(client.refresh(3_600), 0);
  stage.passUnswept(102);
  assert.equal(client.refresh(), ErrorCode.StaleNonce, 'the nonce’s age');
  client.challenge();
  assert.equal(client.refresh(), 0);

  stage.relay.configure({ verifier: { lookup: () => ({ ok: false, error: 'unknown' }) } });
  assert.equal(client.refresh(), ErrorCode.Unauthenticated, 'the document');
  stage.relay.configure({ verifier });
  wall.ends = stage.wall + 5_000;
  const late = stage.client({ port: 40_001, username: 'carol' });
  late.allocate();
  assert.equal(late.refresh(), 0);
  stage.wall += 5_000;
  assert.equal(late.refresh(), ErrorCode.Unauthenticated, 'the credential’s end');
});
