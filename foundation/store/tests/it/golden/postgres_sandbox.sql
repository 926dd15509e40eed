CREATE TABLE visits (
  id BIGINT NOT NULL CONSTRAINT visits__id__check CHECK (id BETWEEN 2000000000 AND 2147483647),
  org_id BIGINT NOT NULL CONSTRAINT visits__org_id__check CHECK (org_id BETWEEN 2000000000 AND 2147483647),
  parent_id BIGINT CONSTRAINT visits__parent_id__check CHECK (parent_id BETWEEN 2000000000 AND 2147483647),
  title TEXT COLLATE "C" NOT NULL,
  title_fold TEXT COLLATE "C" NOT NULL,
  note BYTEA,
  day TEXT COLLATE "C",
  start_at BIGINT NOT NULL,
  done BOOLEAN NOT NULL,
  count BIGINT NOT NULL,
  extra TEXT COLLATE "C" NOT NULL,
  code TEXT COLLATE "C" NOT NULL CONSTRAINT visits__code__check CHECK ((length(code) = 36 AND substr(code, 15, 1) = '8' AND substr(code, 20, 1) IN ('8', '9'))),
  raw BYTEA,
  color TEXT COLLATE "C" CONSTRAINT visits__color__check CHECK (color IN ('red', 'o''dd')),
  deleted_at BIGINT,
  search_text TEXT COLLATE "C" NOT NULL,
  CONSTRAINT visits__org_id_id__pkey PRIMARY KEY (org_id, id)
);

CREATE UNIQUE INDEX visits__org_id_code__key ON visits (org_id, code);

CREATE UNIQUE INDEX visits__org_id_title__key ON visits (org_id, title) WHERE deleted_at IS NULL;

CREATE INDEX visits__org_id_title_fold_id__idx ON visits (org_id, title_fold, id);

CREATE TABLE visit_tags (
  org_id BIGINT NOT NULL CONSTRAINT visit_tags__org_id__check CHECK (org_id BETWEEN 2000000000 AND 2147483647),
  visit_id BIGINT NOT NULL CONSTRAINT visit_tags__visit_id__check CHECK (visit_id BETWEEN 2000000000 AND 2147483647),
  tag TEXT COLLATE "C" NOT NULL,
  CONSTRAINT visit_tags__org_id_visit_id_tag__pkey PRIMARY KEY (org_id, visit_id, tag)
);

ALTER TABLE visits ADD CONSTRAINT visits__org_id_parent_id__fkey FOREIGN KEY (org_id, parent_id) REFERENCES visits (org_id, id);

ALTER TABLE visit_tags ADD CONSTRAINT visit_tags__org_id_visit_id__fkey FOREIGN KEY (org_id, visit_id) REFERENCES visits (org_id, id);
