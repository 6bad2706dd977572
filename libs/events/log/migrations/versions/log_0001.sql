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
-- Everything that is ever written to a log is written here.
--
-- One call carries the appends in flight of one process for one log. Nothing in a batch may touch the same
-- stream, event id, claim or data subject twice (the caller's batching sees to it; a batch that does fails
-- on a unique constraint, as a whole). So each append is judged by what was there before the batch, and one
-- that is refused leaves its neighbours alone.

-- name: log.judge
-- What stands against one append; no row when nothing does. The first that applies, in this order: somebody
-- else's stream; event ids that are on record (all of them, with the same content: a repeat, answered with
-- where its last event went; otherwise the first one that differs is named); a claim taken; another
-- version; keys that changed.
CREATE FUNCTION log.judge(
    of_log text, of_stream text, expected_version integer,
    event_ids uuid[], types text[], bodies bytea[],
    claim_names uuid[], key_subjects text[], used_key_ids uuid[], erases text
) RETURNS TABLE (outcome text, version integer, seq bigint, at timestamptz, taken uuid)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    own_category CONSTANT text := split_part(of_stream, '-', 1);
    differing uuid;
    known boolean;
    current integer;
BEGIN
    IF NOT EXISTS (SELECT FROM log.categories c WHERE c.category = own_category AND c.role = session_user)
        OR (erases IS NOT NULL AND own_category <> 'erasure')
    THEN
        RETURN QUERY SELECT 'foreign_stream', NULL::integer, NULL::bigint, NULL::timestamptz, NULL::uuid;
        RETURN;
    END IF;

    SELECT coalesce(bool_or(e.event_id IS NOT NULL), false),
           (array_agg(n.event_id ORDER BY n.place) FILTER (
               WHERE (e.stream, e.type, e.body) IS DISTINCT FROM (of_stream, n.type, n.body)))[1]
      INTO known, differing
      FROM unnest(event_ids, types, bodies) WITH ORDINALITY AS n(event_id, type, body, place)
      LEFT JOIN log.events e ON e.log = of_log AND e.event_id = n.event_id;
    IF known AND differing IS NOT NULL THEN
        RETURN QUERY SELECT 'event_id_taken', NULL::integer, NULL::bigint, NULL::timestamptz, differing;
        RETURN;
    ELSIF known THEN
        RETURN QUERY SELECT 'repeated', e.version, e.seq, e.at, NULL::uuid FROM log.events e
            WHERE e.log = of_log AND e.event_id = event_ids[cardinality(event_ids)];
        RETURN;
    END IF;

    RETURN QUERY SELECT 'claim_taken', NULL::integer, NULL::bigint, NULL::timestamptz, n.name
        FROM unnest(claim_names) WITH ORDINALITY AS n(name, place)
        WHERE (SELECT true FROM log.claims c WHERE c.log = of_log AND c.name = n.name)
        ORDER BY n.place LIMIT 1;
    IF FOUND THEN
        RETURN;
    END IF;

    current := coalesce(
        (SELECT max(e.version) FROM log.events e WHERE e.log = of_log AND e.stream = of_stream), 0);
    IF current <> expected_version THEN
        RETURN QUERY SELECT 'version_conflict', current, NULL::bigint, NULL::timestamptz, NULL::uuid;
        RETURN;
    END IF;

    IF EXISTS (SELECT FROM log.keys k WHERE k.log = of_log AND k.subject = ANY (key_subjects))
        OR EXISTS (
            SELECT FROM unnest(used_key_ids) AS used(key_id)
            WHERE (SELECT true FROM log.keys k WHERE k.log = of_log AND k.key_id = used.key_id) IS NULL)
    THEN
        RETURN QUERY SELECT 'keys_changed', NULL::integer, NULL::bigint, NULL::timestamptz, NULL::uuid;
    END IF;
END $$;

-- name: log.append
-- Write a batch of appends to one log, in the order given. Answers one row an append, in that order; no row
-- at all when there is no such log. `outcome` is 'appended' (with the version, seq and time of its last
-- event) or one of log.judge's.
--
-- Written for speed where nothing is out of the ordinary: the sums that need no order are done before the
-- lock, the checks are made for all appends at once, and what a batch does not use (claims, keys) arrives
-- as NULL and costs nothing. Plans are made once and by index, and look-ups are scalar subqueries, which
-- the planner leaves alone: the statistics of a young table must not talk it into a join that later reads
-- millions of rows.
CREATE FUNCTION log.append(
    of_log text,
    -- one entry an append:
    streams text[], expected_versions integer[], event_counts integer[],
    actors text[], complaint_ids uuid[], causes uuid[], traceparents text[],
    -- one entry an event, in the order of their appends:
    event_ids uuid[], types text[], bodies bytea[],
    -- NULL where the batch has none; `*_of` is the number of the append (from 1) that an entry belongs to:
    claims_of integer[], claim_names uuid[], claim_fingerprints bytea[],
    keys_of integer[], key_ids uuid[], key_subjects text[], wrapped_keys bytea[],
    used_keys_of integer[], used_key_ids uuid[],
    erases text[]
) RETURNS TABLE (outcome text, version integer, seq bigint, at timestamptz, taken uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    nil CONSTANT bytea := '\x00000000000000000000000000000000';
    log_part CONSTANT bytea := int4send(octet_length(of_log)) || convert_to(of_log, 'UTF8');
    head log.heads%ROWTYPE;
    now_bytes bytea;
    before bytea;
    after bytea;
    place integer := 0;     -- among the events of the batch
    last_place integer;
    odd boolean;            -- something besides a version stands against some append
    verdict record;
    event_versions integer[] := '{}';
    owners integer[] := '{}';
    links bytea[] := '{}';  -- what each event adds to the chain after seq and time
    current_versions integer[];
    -- what is written: the place, seq and hash of each event
    written_events integer := 0;
    places integer[] := '{}';
    seqs bigint[] := '{}';
    hashes bytea[] := '{}';
    written boolean[] := '{}'; -- one entry an append
    last_seqs bigint[] := '{}';
BEGIN
    -- 1 what needs no order: the bytes of ledger.link that do not depend on the events before
    FOR number IN 1 .. cardinality(streams) LOOP
        before := coalesce(uuid_send(complaint_ids[number]), nil) || coalesce(uuid_send(causes[number]), nil)
            || log_part || int4send(octet_length(streams[number])) || convert_to(streams[number], 'UTF8');
        after := int4send(octet_length(actors[number])) || convert_to(actors[number], 'UTF8')
            || int4send(octet_length(traceparents[number])) || convert_to(traceparents[number], 'UTF8');
        FOR version IN expected_versions[number] + 1 .. expected_versions[number] + event_counts[number] LOOP
            place := place + 1;
            owners[place] := number;
            event_versions[place] := version;
            links[place] := int4send(version) || uuid_send(event_ids[place]) || before
                || int4send(octet_length(types[place])) || convert_to(types[place], 'UTF8')
                || after || sha256(bodies[place]);
        END LOOP;
    END LOOP;

    -- 2 the lock that makes one order of all appends to this log; it is held until the commit is durable
    SELECT * INTO head FROM log.heads h WHERE h.log = of_log FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;

    -- 3 the checks, for all at once
    current_versions := ARRAY(
        SELECT coalesce(
            (SELECT e.version FROM log.events e WHERE e.log = of_log AND e.stream = s.stream
              ORDER BY e.version DESC LIMIT 1), 0)
          FROM unnest(streams) AS s(stream));
    odd := erases IS NOT NULL
        OR EXISTS (
            SELECT FROM unnest(event_ids) AS n(event_id)
             WHERE (SELECT true FROM log.events e WHERE e.log = of_log AND e.event_id = n.event_id))
        OR EXISTS (
            SELECT FROM unnest(streams) AS s(stream)
             WHERE split_part(s.stream, '-', 1) <> ALL (
                ARRAY(SELECT c.category FROM log.categories c WHERE c.role = session_user)));
    IF NOT odd AND claims_of IS NOT NULL THEN
        odd := EXISTS (
            SELECT FROM unnest(claim_names) AS n(name)
             WHERE (SELECT true FROM log.claims c WHERE c.log = of_log AND c.name = n.name));
    END IF;
    IF NOT odd AND keys_of IS NOT NULL THEN
        odd := EXISTS (
            SELECT FROM unnest(key_subjects) AS n(subject)
             WHERE (SELECT true FROM log.keys k WHERE k.log = of_log AND k.subject = n.subject));
    END IF;
    IF NOT odd AND used_keys_of IS NOT NULL THEN
        odd := EXISTS (
            SELECT FROM unnest(used_key_ids) AS n(key_id)
             WHERE (SELECT true FROM log.keys k WHERE k.log = of_log AND k.key_id = n.key_id) IS NULL);
    END IF;

    -- 4 seq, time and hash; time never runs backwards
    head.at := greatest(clock_timestamp(), head.at);
    now_bytes := timestamptz_send(head.at);
    place := 0;
    FOR number IN 1 .. cardinality(streams) LOOP
        last_place := place + event_counts[number];
        IF odd OR current_versions[number] <> expected_versions[number] THEN
            SELECT * INTO verdict FROM log.judge(
                of_log, streams[number], expected_versions[number],
                event_ids[place + 1 : last_place],
                types[place + 1 : last_place],
                bodies[place + 1 : last_place],
                ARRAY(SELECT c.name FROM unnest(claims_of, claim_names) AS c(of, name) WHERE of = number),
                ARRAY(SELECT k.subject FROM unnest(keys_of, key_subjects) AS k(of, subject)
                       WHERE of = number),
                ARRAY(SELECT k.key_id FROM unnest(used_keys_of, used_key_ids) AS k(of, key_id)
                       WHERE of = number),
                erases[number]);
            IF FOUND THEN
                written[number] := false;
                outcome := verdict.outcome;
                version := verdict.version;
                seq := verdict.seq;
                at := verdict.at;
                taken := verdict.taken;
                RETURN NEXT;
                place := last_place;
                CONTINUE;
            END IF;
        END IF;
        WHILE place < last_place LOOP
            place := place + 1;
            head.seq := head.seq + 1;
            head.hash := sha256(head.hash || int8send(head.seq) || now_bytes || links[place]);
            written_events := written_events + 1;
            places[written_events] := place;
            seqs[written_events] := head.seq;
            hashes[written_events] := head.hash;
        END LOOP;
        written[number] := true;
        last_seqs[number] := head.seq;
        outcome := 'appended';
        version := expected_versions[number] + event_counts[number];
        seq := head.seq;
        at := head.at;
        taken := NULL;
        RETURN NEXT;
    END LOOP;

    -- 5 write; the triggers of schema.sql let nobody else
    PERFORM set_config('redress.appending', 'yes', true);
    INSERT INTO log.events
        (log, seq, event_id, stream, version, type,
         complaint_id, actor, caused_by, traceparent, at, body, hash)
    SELECT of_log, w.seq, event_ids[w.place], streams[owners[w.place]], event_versions[w.place],
           types[w.place], complaint_ids[owners[w.place]], actors[owners[w.place]], causes[owners[w.place]],
           traceparents[owners[w.place]], head.at, bodies[w.place], w.hash
      FROM unnest(places, seqs, hashes) AS w(place, seq, hash);
    IF written_events > 0 THEN
        UPDATE log.heads h SET seq = head.seq, hash = head.hash, at = head.at WHERE h.log = of_log;
    END IF;
    IF claims_of IS NOT NULL THEN
        INSERT INTO log.claims (log, name, fingerprint, stream, version, seq)
        SELECT of_log, c.name, c.fingerprint,
               streams[c.of], expected_versions[c.of] + event_counts[c.of], last_seqs[c.of]
          FROM unnest(claims_of, claim_names, claim_fingerprints) AS c(of, name, fingerprint)
         WHERE written[c.of];
    END IF;
    IF erases IS NOT NULL THEN
        DELETE FROM log.keys k WHERE k.log = of_log AND k.subject = ANY (ARRAY(
            SELECT e.subject FROM unnest(erases) WITH ORDINALITY AS e(subject, of) WHERE written[e.of]));
    END IF;
    IF keys_of IS NOT NULL THEN
        INSERT INTO log.keys (log, key_id, subject, wrapped, at)
        SELECT of_log, k.key_id, k.subject, k.wrapped, head.at
          FROM unnest(keys_of, key_ids, key_subjects, wrapped_keys) AS k(of, key_id, subject, wrapped)
         WHERE written[k.of];
    END IF;
    PERFORM set_config('redress.appending', 'no', true);
END $$;

-- name: log.create_log
-- Open a log; nothing changes when it is there. Its genesis hash is that of ledger.genesis.
CREATE FUNCTION log.create_log(name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM set_config('redress.appending', 'yes', true);
    INSERT INTO log.heads (log, seq, hash, at)
    VALUES (name, 0, sha256('redress log v1\000'::bytea || convert_to(name, 'UTF8')), clock_timestamp())
    ON CONFLICT (log) DO NOTHING;
    PERFORM set_config('redress.appending', 'no', true);
END $$;

REVOKE ALL ON FUNCTION log.append, log.judge, log.create_log FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.append TO
    redress_intake, redress_investigation, redress_resolution, redress_notifier, redress_oversight;
