/** Steps of the schema, oldest first. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE conference (
     id TEXT PRIMARY KEY,
     key TEXT NOT NULL,
     title TEXT NOT NULL,
     organizer TEXT NOT NULL,
     guests INTEGER NOT NULL,
     federated INTEGER NOT NULL,
     locked INTEGER NOT NULL,
     created INTEGER NOT NULL,
     expires INTEGER NOT NULL,
     ended INTEGER,
     next_participant INTEGER NOT NULL,
     next_content INTEGER NOT NULL,
     next_order INTEGER NOT NULL,
     active_content INTEGER NOT NULL,
     active_presenter INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE standing (
     conference TEXT NOT NULL REFERENCES conference (id) ON DELETE CASCADE,
     address TEXT NOT NULL,
     presenter INTEGER NOT NULL,
     admitted INTEGER NOT NULL,
     removed INTEGER NOT NULL,
     PRIMARY KEY (conference, address)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE participant (
     conference TEXT NOT NULL REFERENCES conference (id) ON DELETE CASCADE,
     number INTEGER NOT NULL,
     address TEXT NOT NULL,
     display_name TEXT NOT NULL,
     kind TEXT NOT NULL,
     outside INTEGER NOT NULL,
     device TEXT NOT NULL,
     presenter INTEGER NOT NULL,
     joined INTEGER NOT NULL,
     generation INTEGER NOT NULL,
     removed INTEGER NOT NULL,
     PRIMARY KEY (conference, number)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE used_token (serial TEXT PRIMARY KEY, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE content (
     conference TEXT NOT NULL REFERENCES conference (id) ON DELETE CASCADE,
     id INTEGER NOT NULL,
     type TEXT NOT NULL,
     title TEXT NOT NULL,
     owner INTEGER NOT NULL,
     owner_identity TEXT NOT NULL,
     visibility INTEGER NOT NULL,
     place INTEGER NOT NULL,
     created INTEGER NOT NULL,
     last_used INTEGER NOT NULL,
     file_name TEXT,
     file_hash TEXT,
     file_size INTEGER,
     file_type TEXT,
     location INTEGER NOT NULL,
     question TEXT NOT NULL,
     choices TEXT NOT NULL,
     several INTEGER NOT NULL,
     open INTEGER NOT NULL,
     results_shown INTEGER NOT NULL,
     PRIMARY KEY (conference, id)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX content_file ON content (file_hash);
   CREATE TABLE slide (
     conference TEXT NOT NULL,
     content INTEGER NOT NULL,
     slide INTEGER NOT NULL,
     hash TEXT NOT NULL,
     size INTEGER NOT NULL,
     type TEXT NOT NULL,
     PRIMARY KEY (conference, content, slide),
     FOREIGN KEY (conference, content) REFERENCES content (conference, id) ON DELETE CASCADE
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX slide_file ON slide (hash);
   CREATE TABLE annotation (
     conference TEXT NOT NULL,
     content INTEGER NOT NULL,
     sequence INTEGER NOT NULL,
     author INTEGER NOT NULL,
     number INTEGER NOT NULL,
     page INTEGER NOT NULL,
     kind INTEGER NOT NULL,
     colour INTEGER NOT NULL,
     width INTEGER NOT NULL,
     points BLOB NOT NULL,
     text TEXT NOT NULL,
     PRIMARY KEY (conference, content, sequence),
     FOREIGN KEY (conference, content) REFERENCES content (conference, id) ON DELETE CASCADE
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE extension (
     id INTEGER PRIMARY KEY,
     conference TEXT NOT NULL,
     content INTEGER NOT NULL,
     sequence INTEGER NOT NULL,
     points BLOB NOT NULL,
     FOREIGN KEY (conference, content, sequence)
       REFERENCES annotation (conference, content, sequence) ON DELETE CASCADE
   ) STRICT;
   CREATE INDEX extension_of ON extension (conference, content, sequence);
   CREATE TABLE vote (
     conference TEXT NOT NULL,
     content INTEGER NOT NULL,
     voter TEXT NOT NULL,
     choices BLOB NOT NULL,
     PRIMARY KEY (conference, content, voter),
     FOREIGN KEY (conference, content) REFERENCES content (conference, id) ON DELETE CASCADE
   ) STRICT, WITHOUT ROWID;`,
];
