# A person on an XMPP server, with Debian's slixmpp: commands as JSON lines on standard input, events on standard output.
import asyncio, json, logging, sys
from slixmpp import ClientXMPP

logging.disable(logging.CRITICAL)
jid, password, address, port = sys.argv[1:5]

def tell(**event):
    print(json.dumps(event), flush=True)

class Person(ClientXMPP):
    def __init__(self):
        super().__init__(jid, password)
        self.auto_authorize = None
        self.auto_subscribe = False
        for plugin in ('xep_0030', 'xep_0085', 'xep_0184', 'xep_0199'):
            self.register_plugin(plugin)
        self['xep_0184'].auto_request = False
        self.add_event_handler('session_start', self.begin)
        self.add_event_handler('message', self.message)
        self.add_event_handler('message_error', self.message)
        self.add_event_handler('receipt_received', lambda m: tell(event='receipt', id=m['receipt']))
        for state in ('composing', 'active', 'gone'):
            self.add_event_handler('chatstate_' + state, lambda m, s=state: tell(event='state', state=s))
        # The library has an event for each show, too.
        for kind in ('subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'available', 'unavailable', 'error',
                     'away', 'chat', 'dnd', 'xa'):
            self.add_event_handler('presence_' + kind, self.presence)
        self.add_event_handler('changed_status', lambda p: None)

    async def begin(self, _):
        self.send_presence()
        await self.get_roster()
        tell(event='ready')
        # The loop holds its tasks by weak references only: without this one the collector ends it in the middle.
        self.obeying = asyncio.ensure_future(self.obey())

    def message(self, m):
        tell(event='message', type=m['type'], body=m['body'], **{'from': str(m['from'])}, id=m['id'],
             condition=m['error']['condition'] if m['type'] == 'error' else '')

    def presence(self, p):
        tell(event='presence', type=p['type'], **{'from': str(p['from'])}, show=p['show'], status=p['status'])

    async def obey(self):
        loop = asyncio.get_event_loop()
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            self.send_raw(json.loads(line)['xml'])
        self.disconnect()

person = Person()
person.use_aiodns = False
person.connect((address, int(port)), disable_starttls=True)
person['feature_mechanisms'].unencrypted_plain = True
person['feature_mechanisms'].unencrypted_scram = True
person.process(forever=False)
