"""A second client of a meeting: a guest who joins and draws.

Written from docs/protocols/conference-signalling.md, psom.md and psom-objects.md alone, with nothing but the standard library of Python 3: whatever it
could not find there was missing there. The interfaces are read from psom-objects.md itself.

    client.py SETTINGS      (JSON: link, name, signalling {address, port, name}, authority, objects, hosts, local)

Says what it hears as JSON lines, and takes JSON lines as commands: {"do": "board", "title": ...}, {"do": "draw", ...}, {"do": "vote", ...}, {"do": "leave"}.
"""
import hashlib, json, queue, re, secrets, socket, ssl, struct, sys, threading
from urllib.parse import unquote

ACCEPT = 'application/vnd.sallyport.conference+json'
settings = json.loads(sys.argv[1])


def tell(**event):
    print(json.dumps(event), flush=True)


def dial(place, alpn=None):
    context = ssl.create_default_context(cafile=settings['authority'])
    if alpn:
        context.set_alpn_protocols([alpn])
    local = (settings['local'], 0) if settings.get('local') else None
    raw = socket.create_connection((place['address'], place['port']), timeout=30, source_address=local)
    connection = context.wrap_socket(raw, server_hostname=place['name'])
    connection.settimeout(None)
    return connection


# --- the meeting link (conference-signalling.md, Addresses) ---

page, fragment = settings['link'].split('#', 1)
fields = dict(part.split('=', 1) for part in fragment.split('&'))
CONFERENCE, KEY = unquote(fields['conference']), fields['key']
ID, DOMAIN = CONFERENCE.removeprefix('sip:').split('@')


# --- SIP ---

class Signalling:
    def __init__(self):
        self.connection = dial(settings['signalling'])
        self.user = secrets.token_hex(8)
        self.call, self.tag, self.sequence = secrets.token_hex(16), secrets.token_hex(8), 0
        self.to, self.target, self.route = f'<{CONFERENCE}>', CONFERENCE, []
        self.buffer = b''

    def request(self, method, sequence, more=()):
        host, port = self.connection.getsockname()[:2]
        branch = 'z9hG4bK' + secrets.token_hex(8)
        lines = [
            f'{method} {self.target} SIP/2.0',
            f'Via: SIP/2.0/TLS {host}:{port};branch={branch}',
            'Max-Forwards: 70',
            f'From: "{settings["name"]}" <sip:{self.user}@anonymous.invalid>;tag={self.tag}',
            f'To: {self.to}',
            f'Call-ID: {self.call}',
            f'CSeq: {sequence} {method}',
            f'Contact: <sip:{self.user}@{host}:{port};transport=tls>',
            *[f'Route: {uri}' for uri in self.route],
            *more,
            'Content-Length: 0',
        ]
        self.connection.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode())

    def message(self):
        """The next one: first line, header fields, body."""
        while True:
            while b'\r\n\r\n' not in self.buffer:
                chunk = self.connection.recv(65536)
                if not chunk:
                    raise SystemExit('signalling ended')
                self.buffer = (self.buffer + chunk).lstrip(b'\r\n')
            head, rest = self.buffer.split(b'\r\n\r\n', 1)
            first, *lines = head.decode().split('\r\n')
            headers = [tuple(part.strip() for part in line.split(':', 1)) for line in lines]
            length = int(dict((name.lower(), value) for name, value in headers).get('content-length', 0))
            while len(rest) < length:
                rest += self.connection.recv(65536)
            self.buffer = rest[length:]
            return first, headers, rest[:length]

    def final(self, method):
        while True:
            first, headers, body = self.message()
            if first.startswith('SIP/2.0'):
                status = int(first.split()[1])
                if status >= 200 and header(headers, 'cseq').endswith(method):
                    return status, headers, body

    def invite(self):
        """The answer to an INVITE with the proof that a challenge asks for."""
        proof = []
        for _ in range(3):
            self.sequence += 1
            self.to, self.target, self.route = f'<{CONFERENCE}>', CONFERENCE, []
            self.request('INVITE', self.sequence, [f'Accept: {ACCEPT}', *proof])
            status, headers, body = self.final('INVITE')
            self.to = header(headers, 'to')
            if status == 401:
                self.request('ACK', self.sequence)
                proof = [authorization(headers, 'INVITE')]
                continue
            if status != 200:
                self.request('ACK', self.sequence)
                raise SystemExit(f'the focus answered {status}')
            self.target = re.search('<([^>]+)>', header(headers, 'contact')).group(1)
            self.route = list(reversed([value for name, value in headers if name.lower() == 'record-route']))
            self.request('ACK', self.sequence)
            return json.loads(body)
        raise SystemExit('the focus does not take the proof')

    def leave(self):
        self.sequence += 1
        self.request('BYE', self.sequence)
        return self.final('BYE')[0]


def header(headers, name):
    return next((value for key, value in headers if key.lower() == name), '')


def authorization(headers, method):
    """RFC 7616 with SHA-256, qop auth."""
    for name, value in headers:
        if name.lower() != 'www-authenticate':
            continue
        asked = {key.lower(): quoted or plain for key, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', value)}
        if asked.get('algorithm', 'MD5') == 'SHA-256':
            break
    digest = lambda text: hashlib.sha256(text.encode()).hexdigest()
    nonce, client = asked['nonce'], secrets.token_hex(8)
    first, second = digest(f'{ID}:{asked["realm"]}:{KEY}'), digest(f'{method}:{CONFERENCE}')
    response = digest(f'{first}:{nonce}:00000001:{client}:auth:{second}')
    return (f'Authorization: Digest username="{ID}", realm="{asked["realm"]}", nonce="{nonce}", uri="{CONFERENCE}", '
            f'response="{response}", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="{client}"'
            + (f', opaque="{asked["opaque"]}"' if 'opaque' in asked else ''))


# --- psom-objects.md: the interfaces ---

def interfaces(file):
    found = {}
    for section in re.split(r'^## ', open(file, encoding='utf-8').read(), flags=re.M)[1:]:
        name, version = re.match(r'(\w+), version (\d+)', section).groups()
        sides = re.findall(r'Methods of the (server|client), hash ([0-9a-f]{16}): ?(.*?)(?=^Methods|\Z)', section, re.S | re.M)
        found[name] = {'version': int(version)}
        for side, digest, table in sides:
            methods = []
            for method, parameters in re.findall(r'^\| \d+ \| (\w+) \| (.*?) ?\|$', table, re.M):
                methods.append((method, [one.split(' ')[0] for one in parameters.split(', ') if one]))
            text = ''.join(f'{method}({",".join(types)})\n' for method, types in methods)
            if fnv(text) != int(digest, 16):
                raise SystemExit(f'the hash of {name} is not what its methods make')
            found[name][side] = (int(digest, 16), methods)
    return found


def fnv(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


# --- psom.md: values ---

def string(text):
    data = text.encode()
    return struct.pack('>H', len(data)) + data


PACK = {
    'Boolean': lambda one: struct.pack('>B', one),
    'Int32': lambda one: struct.pack('>i', one),
    'Int64': lambda one: struct.pack('>q', one),
    'String': string,
    'Byte[]': lambda one: struct.pack('>H', len(one)) + one,
    'Int32[]': lambda one: struct.pack('>H', len(one)) + b''.join(struct.pack('>i', item) for item in one),
    'String[]': lambda one: struct.pack('>H', len(one)) + b''.join(string(item) for item in one),
    'DistributedObject': lambda one: struct.pack('>I', one),
}


class Fields:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        values = struct.unpack_from('>' + form, self.data, self.at)
        self.at += struct.calcsize('>' + form)
        return values[0]

    def bytes(self):
        length = self.take('H')
        self.at += length
        return self.data[self.at - length:self.at]

    def value(self, kind):
        if kind == 'String':
            return self.bytes().decode()
        if kind == 'Byte[]':
            return self.bytes().hex()
        if kind == 'Int32[]':
            return [self.take('i') for _ in range(self.take('H'))]
        if kind == 'String[]':
            return [self.value('String') for _ in range(self.take('H'))]
        if kind == 'Boolean':
            return bool(self.take('B'))
        return self.take({'Int32': 'i', 'Int64': 'q', 'DistributedObject': 'I'}[kind])


# --- psom.md: the connection ---

class Psom:
    def __init__(self, place, token):
        host = place['host']
        address = settings['hosts'].get(host, host)
        self.connection = dial({'address': address, 'port': place['port'], 'name': host}, 'sallyport-psom/1')
        self.interfaces = interfaces(settings['objects'])
        self.objects = {0: ('Meeting', 'Meeting')}
        self.proxies = {}
        self.next, self.lock = 1, threading.Lock()
        self.send(16, struct.pack('>HB', 1, 0) + string(token))
        code, fields = self.frame()
        if code == 18:
            raise SystemExit(f'refused: reason {fields.take("B")}')
        if code != 17:
            raise SystemExit(f'operation {code} instead of JOINED')
        fields.value('String')

    def send(self, code, fields):
        with self.lock:
            self.connection.sendall(struct.pack('>HB', len(fields) + 1, code) + fields)

    def exactly(self, length):
        data = b''
        while len(data) < length:
            chunk = self.connection.recv(length - len(data))
            if not chunk:
                raise SystemExit('the connection ended')
            data += chunk
        return data

    def frame(self):
        data = self.exactly(struct.unpack('>H', self.exactly(2))[0])
        return data[0], Fields(data[1:])

    def connect(self, parent, name, interface):
        proxy, self.next = self.next, self.next + 2
        one = self.interfaces[interface]
        self.objects[proxy] = (name, interface)
        self.proxies[name] = proxy
        self.send(1, struct.pack('>II', parent, proxy) + string(name) + string(interface)
                  + struct.pack('>HQQ', one['version'], one['server'][0], one['client'][0]))
        return proxy

    def call(self, proxy, method, *values):
        methods = self.interfaces[self.objects[proxy][1]]['server'][1]
        number = next(index for index, (name, _) in enumerate(methods) if name == method)
        packed = b''.join(PACK[kind](value) for kind, value in zip(methods[number][1], values, strict=True))
        self.send(3, struct.pack('>IH', proxy, number) + packed)

    def listen(self, handle):
        while True:
            code, fields = self.frame()
            if code == 4:
                self.send(5, struct.pack('>I', fields.take('I')))
            elif code == 3:
                proxy, number = fields.take('I'), fields.take('H')
                if proxy not in self.objects:
                    continue
                name, interface = self.objects[proxy]
                method, kinds = self.interfaces[interface]['client'][1][number]
                values = [fields.value(kind) for kind in kinds]
                if fields.at != len(fields.data):
                    raise SystemExit(f'{method} does not fit')
                handle(proxy, name, method, values)
            elif code == 2:
                proxy, reason = fields.take('I'), fields.take('B')
                tell(event='disconnected', object=self.objects.pop(proxy, ('?', ''))[0], reason=reason)
                if reason == 1:
                    self.send(2, struct.pack('>IB', proxy, 0))
            elif code == 1:
                parent, proxy = fields.take('I'), fields.take('I')
                self.objects[proxy] = (fields.value('String'), fields.value('String'))


# --- what a guest does ---

EXTENDED = {'Content.Ppt': 'PptContent', 'Content.Whiteboard': 'Whiteboard', 'Content.Poll': 'Poll'}


class Guest:
    def __init__(self):
        self.signalling = Signalling()
        self.answer = self.signalling.invite()
        self.psom = Psom(self.answer['places'][0], self.answer['token'])
        self.manager = self.psom.connect(0, 'ContentManager', 'ContentManager')
        self.cookie, self.wanted = 0, {}
        tell(event='joined', participant=self.answer['participant'], role=self.answer['role'], title=self.answer['title'])

    def heard(self, proxy, name, method, values):
        tell(event='call', object=name, method=method, values=values)
        if method == 'cContentAdded':
            content, kind = values
            parent = self.psom.connect(self.manager, f'content.{content}', 'Content')
            if kind in EXTENDED:
                extended = self.psom.connect(parent, 'extendedContent', EXTENDED[kind])
                self.psom.proxies[f'extended.{content}'] = extended
                if kind != 'Content.Poll':
                    drawing = self.psom.connect(extended, 'annotationContainer', 'AnnotationContainer')
                    self.psom.proxies[f'drawing.{content}'] = drawing
        elif method == 'cReserveTitleCompleted' and values[0] == 1:
            self.psom.call(self.manager, 'sCreateContent', values[1], self.wanted.pop(values[1]))

    def obey(self, command):
        do = command['do']
        if do == 'board':
            self.cookie += 1
            self.wanted[self.cookie] = 'Content.Whiteboard'
            self.psom.call(self.manager, 'sReserveTitle', command['title'], self.cookie)
        elif do == 'draw':
            drawing = self.psom.proxies[f'drawing.{command["content"]}']
            self.psom.call(drawing, 'sAdd', 1, command['number'], 1, 0x3366CC, 4, command['points'], '')
        elif do == 'vote':
            self.psom.call(self.psom.proxies[f'extended.{command["content"]}'], 'sVote', command['choices'])
        elif do == 'leave':
            tell(event='left', status=self.signalling.leave())
            return False
        return True


guest = Guest()
threading.Thread(target=guest.psom.listen, args=(guest.heard,), daemon=True).start()
for line in sys.stdin:
    if not guest.obey(json.loads(line)):
        break
