-- What the bus remembers: who works, how far each consumer is, and which events wait for a person.

CREATE SCHEMA bus;

-- A lease says which process does a piece of work. It need not survive a crash, so it writes no WAL.
CREATE UNLOGGED TABLE bus.leases (
    name   text        PRIMARY KEY,
    holder uuid        NOT NULL,
    until  timestamptz NOT NULL
);

-- Everything of the log up to and including `seq` was handled or parked by the consumer. `begun` counts the
-- sessions begun since, none of which ended in good order; after some, `trying` says which event is at work.
CREATE TABLE bus.checkpoints (
    consumer text    NOT NULL,
    log      text    NOT NULL,
    seq      bigint  NOT NULL CHECK (seq >= 0),
    begun    integer NOT NULL DEFAULT 0,
    trying   bigint,
    PRIMARY KEY (log, consumer)
);

-- An event its consumer could not handle, or one that waits behind such an event because it is of the same lane
-- (the complaint, or the stream where there is none). The event itself is in the log, so no copy is kept here.
CREATE TABLE bus.parked (
    consumer  text        NOT NULL,
    log       text        NOT NULL,
    seq       bigint      NOT NULL,
    lane      text        NOT NULL,
    event_id  uuid        NOT NULL,
    type      text        NOT NULL,
    reason    text        NOT NULL,
    attempts  integer     NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    redrive   boolean     NOT NULL DEFAULT false,
    PRIMARY KEY (log, consumer, seq)
);
CREATE INDEX parked_lanes ON bus.parked (log, consumer, lane, seq);

-- Take or renew a lease: free, run out, or already the caller's. Otherwise says how long its holder has left.
-- The clock is this server's, so the callers' clocks need not agree.
CREATE FUNCTION bus.take(wanted text, caller uuid, ttl_seconds double precision,
                         OUT held boolean, OUT left_seconds double precision)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO bus.leases AS lease (name, holder, until)
    VALUES (wanted, caller, clock_timestamp() + make_interval(secs => ttl_seconds))
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE lease.holder = excluded.holder OR lease.until < clock_timestamp();
    held := FOUND;
    left_seconds := 0;
    IF NOT held THEN
        SELECT greatest(0, extract(epoch FROM until - clock_timestamp())) INTO left_seconds
        FROM bus.leases WHERE name = wanted;
        left_seconds := coalesce(left_seconds, 0);
    END IF;
END $$;

GRANT USAGE ON SCHEMA bus TO
    redress_intake, redress_investigation, redress_resolution, redress_notifier, redress_oversight, redress_auditor;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA bus TO
    redress_intake, redress_investigation, redress_resolution, redress_notifier, redress_oversight;
GRANT SELECT ON ALL TABLES IN SCHEMA bus TO redress_auditor;
REVOKE EXECUTE ON FUNCTION bus.take FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bus.take TO
    redress_intake, redress_investigation, redress_resolution, redress_notifier, redress_oversight;
