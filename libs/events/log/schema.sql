-- The log: one append-only table of events for each organisation's history, and what is written along with
-- it. Every unique constraint begins with `log`, so the tables can be distributed or partitioned by it. Run
-- as redress_owner in the schema made by roles.sql; append.sql follows.

GRANT USAGE ON SCHEMA log TO
    redress_intake, redress_investigation, redress_resolution, redress_notifier, redress_oversight,
    redress_auditor;

-- The end of each log. Locking this row is what puts appends in order. Room is left on its page, so that an
-- update stays there and moves no index entry.
CREATE TABLE log.heads (
    log text PRIMARY KEY CHECK (log ~ '^[a-z0-9][a-z0-9_-]{0,62}$'), -- part of names on the bus
    seq bigint NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    at timestamptz NOT NULL
) WITH (fillfactor = 10);

-- Columns as in envelope.Envelope. The nil UUID stands for "absent" in the hash, so it is no value here.
CREATE TABLE log.events (
    log text NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    event_id uuid NOT NULL CHECK (event_id <> '00000000-0000-0000-0000-000000000000'),
    stream text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    type text NOT NULL,
    complaint_id uuid CHECK (complaint_id <> '00000000-0000-0000-0000-000000000000'),
    actor text NOT NULL,
    caused_by uuid CHECK (caused_by <> '00000000-0000-0000-0000-000000000000'),
    traceparent text NOT NULL,
    at timestamptz NOT NULL,
    body bytea NOT NULL CHECK (octet_length(body) <= 8323072),
    hash bytea NOT NULL,
    PRIMARY KEY (log, seq),
    UNIQUE (log, stream, version),
    UNIQUE (log, event_id)
) WITH (toast_tuple_target = 8160);
-- Sealed texts do not compress: trying costs time and gains nothing. A row stays in one piece while it fits
-- a page.
ALTER TABLE log.events ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX events_by_complaint ON log.events (log, complaint_id, seq) WHERE complaint_id IS NOT NULL;

-- Names taken at most once, with what was appended along (idempotency keys, source references, numbers).
CREATE TABLE log.claims (
    log text NOT NULL,
    name uuid NOT NULL,
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    stream text NOT NULL,
    version integer NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (log, name)
);

-- One wrapped data key a data subject. Deleting it is what erasure means; so this is the only table that
-- rows leave.
CREATE TABLE log.keys (
    log text NOT NULL,
    key_id uuid NOT NULL,
    subject text NOT NULL,
    wrapped bytea NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (log, key_id),
    UNIQUE (log, subject)
);

-- Which role owns which streams: those whose name begins with the category and a hyphen.
CREATE TABLE log.categories (
    category text PRIMARY KEY,
    role name NOT NULL
);
INSERT INTO log.categories (category, role) VALUES
    ('intake', 'redress_intake'),
    ('investigation', 'redress_investigation'),
    ('resolution', 'redress_resolution'),
    ('notifier', 'redress_notifier'),
    ('oversight', 'redress_oversight'),
    ('policy', 'redress_oversight'),
    ('erasure', 'redress_oversight');

GRANT SELECT ON log.heads, log.events, log.claims, log.keys, log.categories TO
    redress_intake, redress_investigation, redress_resolution, redress_notifier, redress_oversight,
    redress_auditor;

-- No role but the owner may write, and the owner only inside the functions of append.sql, which set
-- `redress.appending` while they write. A superuser can get around this, and is found out by `audit
-- verify`.
CREATE FUNCTION log.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: the log is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'Events enter through log.append, and none ever leaves.';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.events
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.claims
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON log.heads
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON log.keys
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse();

CREATE TRIGGER by_append BEFORE INSERT ON log.events
    FOR EACH STATEMENT WHEN (current_setting('redress.appending', true) IS DISTINCT FROM 'yes')
    EXECUTE FUNCTION log.refuse();
CREATE TRIGGER by_append BEFORE INSERT ON log.claims
    FOR EACH STATEMENT WHEN (current_setting('redress.appending', true) IS DISTINCT FROM 'yes')
    EXECUTE FUNCTION log.refuse();
CREATE TRIGGER by_append BEFORE INSERT OR UPDATE ON log.heads
    FOR EACH STATEMENT WHEN (current_setting('redress.appending', true) IS DISTINCT FROM 'yes')
    EXECUTE FUNCTION log.refuse();
CREATE TRIGGER by_append BEFORE INSERT OR DELETE ON log.keys
    FOR EACH STATEMENT WHEN (current_setting('redress.appending', true) IS DISTINCT FROM 'yes')
    EXECUTE FUNCTION log.refuse();
