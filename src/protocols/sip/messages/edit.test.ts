import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MessageEdit } from './edit.ts';
import { FieldLine, NumberLines } from './field-line.ts';
import { canonicalName, isListHeader, VIA } from './header-name.ts';
import { splitValues } from './header-value.ts';
import { sipLimits } from './limits.ts';
import type { SipMessage } from './message.ts';
import { parseNameAddress } from './name-address.ts';
import { parseSipMessage } from './parse.ts';
import { formatVia } from './via.ts';

function message(text: string): SipMessage {
  const parsed = parseSipMessage(Buffer.from(text), sipLimits);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error.reason);
  return parsed.value;
}

const original = [
  'MESSAGE sip:carol@example.com SIP/2.0',
  'v:  SIP/2.0/TLS 192.0.2.4:5061;branch=z9hG4bK1 ,',
  '  SIP/2.0/TLS 192.0.2.5;branch=z9hG4bK2',
  'max-forwards : 70',
  'Route: <sip:a.example.com;lr>,<sip:b,c@b.example.com;lr>',
  'Route: <sip:c.example.com;lr>',
  'From: <sip:alice@example.com>;tag=a',
  'To: "Größe, \\"x\\"" <sip:carol@example.com>',
  'Call-ID: 1@example.com',
  'CSeq: 1 MESSAGE',
  'X-Odd:   kept   as it   is  ',
  'Content-Type: text/plain',
  'Content-Length: 5',
  '',
  'hello',
].join('\r\n');

describe('splices', () => {
  test('nothing changed: octet for octet the same', () => {
    assert.equal(new MessageEdit(message(original)).toBytes().toString(), original);
  });
  test('what a proxy does', () => {
    const edited = new MessageEdit(message(original))
      .requestUri('sip:carol@192.0.2.9;transport=tls')
      .removeFirst('Route')
      .replace('Max-Forwards', '69')
      .prepend('Via', 'SIP/2.0/TLS edge.example.com;branch=z9hG4bK0')
      .prepend('Record-Route', '<sip:edge.example.com;lr>')
      .toBytes()
      .toString();
    const expected = original
      .replace('sip:carol@example.com SIP', 'sip:carol@192.0.2.9;transport=tls SIP')
      .replace('v:  SIP', 'Via: SIP/2.0/TLS edge.example.com;branch=z9hG4bK0\r\nv:  SIP')
      .replace('Via: SIP/2.0/TLS edge', 'Record-Route: <sip:edge.example.com;lr>\r\nVia: SIP/2.0/TLS edge')
      .replace('max-forwards : 70', 'Max-Forwards: 69')
      .replace('<sip:a.example.com;lr>,', '');
    assert.equal(edited, expected);
  });
  test('removeFirst takes values one by one, then lines', () => {
    const edit = new MessageEdit(message(original));
    const routes = () => {
      edit.removeFirst('Route');
      return message(edit.toBytes().toString()).values('Route');
    };
    assert.deepEqual(routes(), ['<sip:b,c@b.example.com;lr>', '<sip:c.example.com;lr>']);
    assert.deepEqual(routes(), ['<sip:c.example.com;lr>']);
    assert.deepEqual(routes(), []);
    assert.deepEqual(routes(), []);
  });
  test('removeFirst crosses a folded line', () => {
    const edited = new MessageEdit(message(original)).removeFirst('Via').toBytes().toString();
    assert.match(edited, /SIP\/2\.0\r\nVia: SIP\/2\.0\/TLS 192\.0\.2\.5;branch=z9hG4bK2\r\nmax/);
  });
  test('a new body sets its length and type', () => {
    const edited = message(
      new MessageEdit(message(original)).body(Buffer.from('größer'), 'text/x').toBytes().toString(),
    );
    assert.equal(edited.body.toString(), 'größer');
    assert.equal(edited.header('Content-Length'), '8');
    assert.equal(edited.header('Content-Type'), 'text/x');
  });
  test('an empty body loses its type', () => {
    const edited = message(new MessageEdit(message(original)).body(Buffer.alloc(0)).toBytes().toString());
    assert.equal(edited.has('Content-Type'), false);
    assert.equal(edited.header('Content-Length'), '0');
  });
  test('Content-Length is added where a datagram had none', () => {
    const edited = new MessageEdit(message(original.replace('Content-Length: 5\r\n', '')))
      .toBytes()
      .toString();
    assert.match(edited, /\r\nContent-Length: 5\r\n\r\nhello$/);
  });
});

describe('a line that stays, with more in it', () => {
  const edit = () => {
    const before = message(original);
    const at = before.bytes.indexOf('192.0.2.4:5061') + '192.0.2.4'.length;
    const edit = new MessageEdit(before);
    assert.ok(
      edit.widenFirst(VIA, [
        { at, text: '0' },
        { at: at + ':5061;branch=z9hG4bK1'.length, text: ';x' },
      ]),
    );
    return edit;
  };
  const widened = original.replace('192.0.2.4:5061;branch=z9hG4bK1', '192.0.2.40:5061;branch=z9hG4bK1;x');

  test('for the rest it is as it was received', () => assert.equal(edit().toBytes().toString(), widened));
  test('what is done to it afterwards is done to what it has become', () => {
    const vias = (change: (edit: MessageEdit) => void) => {
      const one = edit();
      change(one);
      return message(one.toBytes().toString()).values('Via');
    };
    const second = 'SIP/2.0/TLS 192.0.2.5;branch=z9hG4bK2';
    assert.deepEqual(
      vias((one) => one.removeFirst('Via')),
      [second],
    );
    assert.deepEqual(
      vias((one) => one.prepend('Via', 'SIP/2.0/TLS h')),
      ['SIP/2.0/TLS h', 'SIP/2.0/TLS 192.0.2.40:5061;branch=z9hG4bK1;x', second],
    );
    assert.deepEqual(
      vias((one) => one.replace('Via', second)),
      [second],
    );
  });
  test('only a line of the original can be widened, and no text ends it', () => {
    const one = new MessageEdit(message(original)).prepend('Via', 'SIP/2.0/TLS h');
    assert.equal(one.widenFirst(VIA, [{ at: 60, text: 'x' }]), false);
    assert.throws(
      () => new MessageEdit(message(original)).widenFirst(VIA, [{ at: 60, text: '\r\n' }]),
      TypeError,
    );
  });
});

test('lines of numbers are the same whether they were made before or not', () => {
  const lines = new NumberLines('Max-Forwards', 70);
  for (const number of [69, 3, 0, 70, 69, 71, 71]) {
    const edited = new MessageEdit(message(original)).replaceLine(lines.of(number)).toBytes();
    assert.equal(message(edited.toString()).header('Max-Forwards'), String(number));
  }
});

describe('injection', () => {
  const edit = () => new MessageEdit(message(original));
  for (const value of ['a\r\nTo: x', 'a\rb', 'a\nb', 'a\0b']) {
    test(`value ${JSON.stringify(value)}`, () => {
      assert.throws(() => edit().prepend('Subject', value), TypeError);
      assert.throws(() => edit().append('Subject', value), TypeError);
      assert.throws(() => edit().replace('Subject', value), TypeError);
      assert.throws(() => edit().body(Buffer.from('x'), value), TypeError);
      assert.throws(() => new FieldLine('Subject', value), TypeError);
      assert.throws(() => new FieldLine('Subject', 'a', value), TypeError);
      assert.throws(() => edit().prependLine(new FieldLine('Subject', 'a'), value), TypeError);
    });
  }
  test('NUL as a quoted pair, which a peer may send, can be sent on', () => {
    const value = 'SIP/2.0/TLS h;branch=z9hG4bK1;x="\\\0"';
    const received = message(original.replace('\r\n', `\r\nVia: ${value}\r\n`));
    assert.equal(received.topVia.parameters.get('x'), '\0');
    const edited = new MessageEdit(received).replace('Via', formatVia(received.topVia)).toBytes();
    assert.equal(message(edited.toString()).topVia.parameters.get('x'), '\0');
  });
  test('whatever is taken for a URI when it is read can be written as one', () => {
    for (const uri of ['a`b:c', 'a+b:c', 'a.1-b:c', "a!b~c*d'e:f", 'sip:x']) {
      const parsed = parseNameAddress(`<${uri}>`);
      if (parsed.ok) edit().requestUri(parsed.value.uri);
    }
    assert.equal(parseNameAddress('<a`b:c>').ok, false);
  });
  for (const name of ['', 'a b', 'a:b', 'a\r\nb']) {
    test(`name ${JSON.stringify(name)}`, () => {
      assert.throws(() => edit().append(name, 'x'), TypeError);
      assert.throws(() => new FieldLine(name, 'x'), TypeError);
    });
  }
  for (const uri of ['', 'sip:a b', 'sip:a SIP/2.0\r\nTo: x', 'sip:<a>']) {
    test(`URI ${JSON.stringify(uri)}`, () => assert.throws(() => edit().requestUri(uri), TypeError));
  }
});

describe('any sequence of changes does to the message what it does to a list of fields', () => {
  type Field = readonly [name: string, value: string];
  const same = (name: string) => (field: Field) =>
    field[0].toLowerCase() === canonicalName(name).toLowerCase();
  const model = {
    prepend: (fields: Field[], name: string, value: string) => {
      fields.splice(Math.max(fields.findIndex(same(name)), 0), 0, [canonicalName(name), value]);
    },
    append: (fields: Field[], name: string, value: string) => {
      const last = fields.findLastIndex(same(name));
      fields.splice(last < 0 ? fields.length : last + 1, 0, [canonicalName(name), value]);
    },
    replace: (fields: Field[], name: string, value: string) => {
      const first = fields.findIndex(same(name));
      const others = fields.filter((field, i) => i === first || !same(name)(field));
      fields.splice(0, fields.length, ...others);
      fields.splice(first < 0 ? fields.length : first, first < 0 ? 0 : 1, [canonicalName(name), value]);
    },
    removeFirst: (fields: Field[], name: string) => {
      const first = fields.findIndex(same(name));
      if (first < 0) return;
      const rest = isListHeader(name) ? splitValues(fields[first]![1]).slice(1) : [];
      fields.splice(first, 1, ...(rest.length === 0 ? [] : [[canonicalName(name), rest.join(',')] as const]));
    },
    remove: (fields: Field[], name: string) => {
      fields.splice(0, fields.length, ...fields.filter((field) => !same(name)(field)));
    },
  };
  const names = ['Route', 'X-Odd', 'Record-Route', 'supported', 'k', 'Subject', 'x-new'];
  const values = ['<sip:x.example.com;lr>', '"a,b" <sip:a@b>, <sip:c,d@e>', 'plain', 'größe', ''];
  const change = fc.record({
    verb: fc.constantFrom('prepend', 'append', 'replace', 'removeFirst', 'remove'),
    // The same as a line that was made before, with a place for text or without.
    made: fc.constantFrom('no', 'whole', 'parts'),
    name: fc.constantFrom(...names),
    value: fc.constantFrom(...values),
  });
  const normal = (fields: readonly Field[]) =>
    fields.map(([name, value]) => [name, isListHeader(name) ? splitValues(value).join(',') : value]);

  test('model', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const before = message(original);
        const fields: Field[] = [...before.fields()];
        const edit = new MessageEdit(before);
        for (const { verb, made, name, value } of changes) {
          model[verb](fields, name, value);
          if (verb === 'remove' || verb === 'removeFirst') edit[verb](name);
          else if (made === 'no') edit[verb](name, value);
          else if (verb === 'replace' || made === 'whole') edit[`${verb}Line`](new FieldLine(name, value));
          else edit[`${verb}Line`](new FieldLine(name, value.slice(0, 2), value.slice(4)), value.slice(2, 4));
        }
        const after = message(edit.toBytes().toString());
        const lower = (list: readonly (readonly (string | undefined)[])[]) =>
          list.map(([name, value]) => [name?.toLowerCase(), value]);
        assert.deepEqual(lower(normal([...after.fields()])), lower(normal(fields)));
        assert.equal(after.body.toString(), 'hello');
      }),
      { numRuns: 500 },
    );
  });
});
