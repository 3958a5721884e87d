-- A management store as the first release left it: schema 1, one edge, a policy in the form of that time.
CREATE TABLE revision (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  scope TEXT NOT NULL,
  text TEXT NOT NULL,
  author TEXT NOT NULL,
  at INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX revision_scope ON revision (scope, id);
CREATE TABLE published (
  edge TEXT NOT NULL,
  version INTEGER NOT NULL,
  hash TEXT NOT NULL,
  link TEXT NOT NULL,
  signature TEXT NOT NULL,
  manifest TEXT NOT NULL,
  PRIMARY KEY (edge, version)
) STRICT;
CREATE TABLE entry (sha256 TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
CREATE TABLE box (
  secret TEXT NOT NULL,
  edge TEXT NOT NULL,
  recipient TEXT NOT NULL,
  sha256 TEXT NOT NULL REFERENCES entry (sha256),
  PRIMARY KEY (secret, edge, recipient)
) STRICT;
CREATE TABLE secret (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('next', 'current', 'previous')),
  created INTEGER NOT NULL
) STRICT;
CREATE TABLE edge (
  name TEXT PRIMARY KEY,
  sealing_key TEXT,
  report TEXT,
  reported INTEGER,
  tried INTEGER,
  problem TEXT
) STRICT;
CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO revision (scope, text, author, at, reason) VALUES ('global', '# What the first release wrote.
site: Head office
sipDomains: [example.com]
names: { access: sip.example.com, webConferencing: conf.example.com, av: av.example.com }
internalNetworks: [10.0.0.0/8]
nextHop: { name: fe1.example.com, members: [{ name: fe1.example.com, address: 10.45.1.10 }] }
features: { replication: true }
remoteAccess:
  onlyUsers: [alice@example.com, bob@example.com] # the two of sales
', 'root', 1700000000000, 'first');
INSERT INTO secret VALUES ('secrets/media-0123456789ab.media', x'73616c6c79706f72742d6d656469612d6b657920310a', 'current', 1700000000000);
INSERT INTO edge (name, sealing_key) VALUES ('edge1.example.com', 'B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9_AssrhtHw');
INSERT INTO fact VALUES ('version', '7');
PRAGMA user_version = 1;
