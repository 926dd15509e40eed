CREATE TABLE visits (
  id INTEGER PRIMARY KEY CONSTRAINT visits__id__check CHECK ((id BETWEEN 1000000 AND 1999999999 OR id BETWEEN 3000000000 AND 8999999999999999)),
  org_id INTEGER NOT NULL CONSTRAINT visits__org_id__check CHECK (org_id BETWEEN 1000000 AND 1999999999),
  parent_id INTEGER CONSTRAINT visits__parent_id__check CHECK ((parent_id BETWEEN 1000000 AND 1999999999 OR parent_id BETWEEN 3000000000 AND 8999999999999999)),
  title TEXT NOT NULL,
  title_fold TEXT NOT NULL,
  note BLOB,
  day TEXT,
  start_at INTEGER NOT NULL,
  done INTEGER NOT NULL CONSTRAINT visits__done__check CHECK (done IN (0, 1)),
  count INTEGER NOT NULL,
  extra TEXT NOT NULL,
  code TEXT NOT NULL CONSTRAINT visits__code__check CHECK ((length(code) = 36 AND substr(code, 15, 1) = '8' AND substr(code, 20, 1) IN ('a', 'b'))),
  raw BLOB,
  color TEXT CONSTRAINT visits__color__check CHECK (color IN ('red', 'o''dd')),
  deleted_at INTEGER,
  search_text TEXT NOT NULL,
  CONSTRAINT visits__org_id_id__key UNIQUE (org_id, id),
  CONSTRAINT visits__org_id_parent_id__fkey FOREIGN KEY (org_id, parent_id) REFERENCES visits (org_id, id)
) STRICT;

CREATE UNIQUE INDEX visits__org_id_code__key ON visits (org_id, code);

CREATE UNIQUE INDEX visits__org_id_title__key ON visits (org_id, title) WHERE deleted_at IS NULL;

CREATE INDEX visits__org_id_title_fold_id__idx ON visits (org_id, title_fold, id);

CREATE TABLE visit_tags (
  org_id INTEGER NOT NULL CONSTRAINT visit_tags__org_id__check CHECK (org_id BETWEEN 1000000 AND 1999999999),
  visit_id INTEGER NOT NULL CONSTRAINT visit_tags__visit_id__check CHECK ((visit_id BETWEEN 1000000 AND 1999999999 OR visit_id BETWEEN 3000000000 AND 8999999999999999)),
  tag TEXT NOT NULL,
  CONSTRAINT visit_tags__org_id_visit_id_tag__pkey PRIMARY KEY (org_id, visit_id, tag),
  CONSTRAINT visit_tags__org_id_visit_id__fkey FOREIGN KEY (org_id, visit_id) REFERENCES visits (org_id, id)
) STRICT, WITHOUT ROWID;
