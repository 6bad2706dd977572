CREATE SCHEMA notifier;

CREATE TABLE notifier.deadlines (
    log TEXT NOT NULL,
    key UUID NOT NULL,
    step TEXT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    warn_at TIMESTAMP WITH TIME ZONE,
    next_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (log, key, step)
);

COMMENT ON COLUMN notifier.deadlines.next_at IS 'of the warning, then of the deadline, then null';

CREATE INDEX deadlines_by_next_at ON notifier.deadlines (log, next_at, key, step) WHERE next_at IS NOT NULL;

CREATE TABLE notifier.checkpoints (
    log TEXT NOT NULL,
    projection TEXT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (log, projection)
);

GRANT USAGE ON SCHEMA notifier TO redress_notifier, redress_auditor;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA notifier TO redress_notifier;

GRANT SELECT ON ALL TABLES IN SCHEMA notifier TO redress_auditor;
