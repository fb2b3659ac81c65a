-- On Supabase whoever has not signed in is given every new sequence by default: a number handed out there is one that a
-- row here skips.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'anon') THEN
        EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM anon', current_schema());
    END IF;
END $$;
