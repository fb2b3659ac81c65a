-- Owners are closed to each other, whatever a statement forgot. What a user causes runs as role `authenticated`,
-- with the user's id in the claims of this transaction; the engine and the installation's own work run as role
-- `dialdeck_engine`. A login that takes on neither sees no row. FORCE: the owner of the tables is no exception.

-- Roles are the server's, shared by its databases; who made them first does not matter.
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['authenticated', 'dialdeck_engine'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
        -- Whoever makes the schema may act as either; other logins are given them by name.
        IF NOT pg_has_role(current_user, name, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', name);
        END IF;
    END LOOP;
END $$;

-- Supabase has these, and they stay as they are.
DO $$
BEGIN
    IF to_regnamespace('auth') IS NULL THEN
        CREATE SCHEMA auth;
        GRANT USAGE ON SCHEMA auth TO authenticated, dialdeck_engine;
    END IF;
    IF to_regprocedure('auth.uid()') IS NULL THEN
        CREATE FUNCTION auth.uid() RETURNS UUID LANGUAGE sql STABLE AS
            $f$ SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $f$;
    END IF;
    IF to_regprocedure('auth.role()') IS NULL THEN
        CREATE FUNCTION auth.role() RETURNS TEXT LANGUAGE sql STABLE AS
            $f$ SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role' $f$;
    END IF;
END $$;

-- Nobody has anything of these tables but what follows; on Supabase every new one is given away by default.
DO $$
DECLARE
    name TEXT;
    our_calls TEXT := 'calls';
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO authenticated, dialdeck_engine', current_schema());
    IF to_regclass('dialdeck.calls') IS NOT NULL THEN
        our_calls := 'dialdeck.calls';
        GRANT USAGE ON SCHEMA dialdeck TO authenticated, dialdeck_engine;
    END IF;
    FOREACH name IN ARRAY ARRAY[
        'settings', 'assistants', 'trunks', 'phone_number', 'contact_lists', 'contacts', 'csv_files', 'csv_contacts', 'campaigns', 'campaign_counts',
        'campaign_days', 'campaign_minutes', 'campaign_calls', 'call_events', 'call_outcomes', 'call_reports', 'call_requests', 'do_not_call',
        'numbers_live', 'engines', 'idempotency_keys', 'audit', 'recordings', 'recording_tasks', 'listening_lines', 'assigning', 'call_search'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, authenticated', name);
        IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'anon') THEN
            EXECUTE format('REVOKE ALL ON %I FROM anon', name);
        END IF;
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO dialdeck_engine', name);
        EXECUTE format('CREATE POLICY engine_all ON %I TO dialdeck_engine USING (TRUE) WITH CHECK (TRUE)', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['campaign_contacts', 'source_columns', our_calls] LOOP
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, authenticated', name);
        IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'anon') THEN
            EXECUTE format('REVOKE ALL ON %s FROM anon', name);
        END IF;
        EXECUTE format('GRANT SELECT ON %s TO authenticated, dialdeck_engine', name);
    END LOOP;
END $$;

-- Which rows are an owner's, and what else must be the owner's of a row that is written: a campaign over somebody
-- else's list would call their people. The user is looked up once a statement, not once a row: (SELECT ...).
DO $$
DECLARE
    mine CONSTANT TEXT := 'user_id = (SELECT auth.uid())';
    my_campaign CONSTANT TEXT := 'campaign_id IN (SELECT id FROM campaigns WHERE user_id = (SELECT auth.uid()))';
    my_call CONSTANT TEXT := 'EXISTS (SELECT 1 FROM campaign_calls k WHERE k.id = call_id AND k.user_id = (SELECT auth.uid()))';
    my_assistant CONSTANT TEXT := 'IN (SELECT id FROM assistants WHERE user_id = (SELECT auth.uid()))';
    owned CONSTANT TEXT[][] := ARRAY[
        ['assistants', mine, NULL],
        ['trunks', mine, NULL],
        ['phone_number', mine, '(inbound_assistant_id IS NULL OR inbound_assistant_id ' || my_assistant || ')'],
        ['contact_lists', mine, NULL],
        ['csv_files', mine, NULL],
        ['contacts', 'EXISTS (SELECT 1 FROM contact_lists l WHERE l.id = contact_list_id AND l.user_id = (SELECT auth.uid()))', NULL],
        ['csv_contacts', 'EXISTS (SELECT 1 FROM csv_files f WHERE f.id = csv_file_id AND f.user_id = (SELECT auth.uid()))', NULL],
        ['campaigns', mine, 'assistant_id ' || my_assistant || '
            AND (contact_list_id IS NULL OR contact_list_id IN (SELECT id FROM contact_lists WHERE user_id = (SELECT auth.uid())))
            AND (csv_file_id IS NULL OR csv_file_id IN (SELECT id FROM csv_files WHERE user_id = (SELECT auth.uid())))'],
        ['campaign_counts', my_campaign, NULL],
        ['campaign_days', my_campaign, NULL],
        ['campaign_minutes', my_campaign, NULL],
        ['campaign_calls', mine || ' AND ' || my_campaign, NULL],
        ['call_events', my_call, NULL],
        ['call_outcomes', my_call, NULL],
        ['call_reports', my_call, NULL],
        ['call_requests', mine || ' AND ' || my_call, NULL],
        ['recordings', my_call, NULL],
        ['recording_tasks', my_call, NULL],
        ['listening_lines', my_call, NULL],
        ['do_not_call', mine, NULL],
        ['idempotency_keys', mine, NULL],
        ['audit', mine, NULL],
        ['call_search', mine, NULL]];
    one TEXT[];
BEGIN
    FOREACH one SLICE 1 IN ARRAY owned LOOP
        EXECUTE format('CREATE POLICY owner_select ON %I FOR SELECT TO authenticated USING (%s)', one[1], one[2]);
        EXECUTE format('CREATE POLICY owner_insert ON %I FOR INSERT TO authenticated WITH CHECK (%s)', one[1], concat_ws(' AND ', one[2], one[3]));
        EXECUTE format('GRANT SELECT, INSERT ON %I TO authenticated', one[1]);
        -- A line of the audit stays as it was written, whoever its owner is.
        CONTINUE WHEN one[1] = 'audit';
        EXECUTE format('CREATE POLICY owner_update ON %I FOR UPDATE TO authenticated USING (%s) WITH CHECK (%s)',
                       one[1], one[2], concat_ws(' AND ', one[2], one[3]));
        EXECUTE format('CREATE POLICY owner_delete ON %I FOR DELETE TO authenticated USING (%s)', one[1], one[2]);
        EXECUTE format('GRANT UPDATE, DELETE ON %I TO authenticated', one[1]);
    END LOOP;
END $$;

-- A do-not-call list that all owners share is read by all; each writes its own lines.
CREATE POLICY shared_select ON do_not_call FOR SELECT TO authenticated
    USING ((SELECT EXISTS (SELECT 1 FROM settings WHERE key = 'shared_do_not_call' AND value = 'on')));

-- Words are not looked up by an index where a policy stands before them, so an owner asks by this, which adds the
-- owner's own scope to the question: as the engine, because nobody else passes by the policy.
DO $$
BEGIN
    EXECUTE format($f$
        CREATE FUNCTION found_calls(asked TSQUERY, first BIGINT, before BIGINT, most BIGINT) RETURNS TABLE (dialled BIGINT)
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = %I, pg_temp SET plan_cache_mode = force_custom_plan AS
        $body$
        BEGIN
            -- Whoever may act as the engine and does not act for a user asks for everybody's.
            IF current_setting('role') = 'authenticated' OR NOT pg_has_role(session_user, 'dialdeck_engine', 'MEMBER') THEN
                asked := asked && ('o' || replace(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '-', ''))::tsquery;
            END IF;
            RETURN QUERY SELECT s.dialled FROM call_search s WHERE s.words @@ asked AND s.dialled >= first AND s.dialled < before ORDER BY s.dialled DESC LIMIT most;
        END
        $body$ $f$, current_schema());
    EXECUTE format('GRANT CREATE ON SCHEMA %I TO dialdeck_engine', current_schema());
    ALTER FUNCTION found_calls OWNER TO dialdeck_engine;
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM dialdeck_engine', current_schema());
    REVOKE ALL ON FUNCTION found_calls FROM PUBLIC;
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'anon') THEN
        REVOKE ALL ON FUNCTION found_calls FROM anon;
    END IF;
    GRANT EXECUTE ON FUNCTION found_calls TO authenticated, dialdeck_engine;
END $$;

-- The installation's own tables are read by owners where what they see is decided by them: never the secret that
-- signs tokens, and of what is kept for each owner or campaign their own.
CREATE POLICY owner_select ON settings FOR SELECT TO authenticated USING (
    key IN ('installation_id', 'owner', 'leader', 'kill_switch', 'kill_switch_reason', 'terms', 'engine_health', 'shared_do_not_call',
            'law_closed', 'probe', 'last_backup', 'searched_to')
    OR (key LIKE 'national\_%' AND split_part(key, ':', 2) = (SELECT replace(auth.uid()::text, '-', '')))
    OR (key LIKE 'campaign\_note:%' AND substr(key, 15) IN (SELECT id::text FROM campaigns WHERE user_id = (SELECT auth.uid()))));
CREATE POLICY owner_select ON engines FOR SELECT TO authenticated USING (TRUE);
-- Whether a number is on the line is asked by who has it.
CREATE POLICY owner_select ON numbers_live FOR SELECT TO authenticated USING (
    EXISTS (SELECT 1 FROM campaign_calls k WHERE k.phone_number = number AND k.user_id = (SELECT auth.uid())));
GRANT SELECT ON settings, engines, numbers_live TO authenticated;

-- Which migrations there were: read by every process. Not FORCE: who makes the schema writes it.
ALTER TABLE _sqlx_migrations ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON _sqlx_migrations FROM PUBLIC, authenticated;
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'anon') THEN
        REVOKE ALL ON _sqlx_migrations FROM anon;
    END IF;
END $$;
CREATE POLICY anyone_select ON _sqlx_migrations FOR SELECT TO authenticated, dialdeck_engine USING (TRUE);
GRANT SELECT ON _sqlx_migrations TO authenticated, dialdeck_engine;
