-- The database roles, and what the database as a whole lets them do. Roles belong to the server, not to one
-- database, so they are no part of a migration's history: this text is run before every upgrade and may be
-- repeated. Nobody can log in until a password is set (migrate.py set-passwords).

SELECT pg_advisory_xact_lock(hashtext('redress migrations')); -- one at a time

DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY[
        'redress_owner', -- owns every table and function; runs migrations
        'redress_intake', 'redress_investigation', 'redress_resolution', 'redress_notifier',
        'redress_oversight',
        'redress_auditor' -- reads, and nothing else
    ] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', role);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- made at this very moment by an upgrade of another database of the same server
        END;
    END LOOP;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        -- An administrator who is no superuser must say so before making things for another role.
        EXECUTE format('GRANT redress_owner TO %I', current_user);
    END IF;
    EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO redress_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO redress_intake, redress_investigation, redress_resolution,'
        ' redress_notifier, redress_oversight, redress_auditor', current_database());
END $$;

CREATE SCHEMA IF NOT EXISTS log AUTHORIZATION redress_owner;
