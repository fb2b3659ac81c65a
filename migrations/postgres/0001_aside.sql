-- A database in which the script of the system that came before has run has tables of the names that are needed.
-- They are set aside, whole, in schema dialdeck_before: 0003 takes their rows over. Its table phone_number stays
-- where it is, because incoming calls go by it. Names that are taken by something else are not touched.
DO $$
DECLARE
    theirs CONSTANT TEXT[] := ARRAY['campaigns', 'campaign_calls', 'contact_lists', 'contacts', 'csv_files', 'csv_contacts'];
    ours CONSTANT TEXT[] := ARRAY['settings', 'assistants', 'trunks', 'campaign_counts', 'campaign_days', 'campaign_minutes', 'campaign_contacts',
        'source_columns', 'call_events', 'call_outcomes', 'call_reports', 'call_requests', 'do_not_call', 'numbers_live', 'engines',
        'idempotency_keys', 'audit', 'recordings', 'recording_tasks', 'listening_lines', 'assigning', 'call_search'];
    known CONSTANT TEXT[] := ARRAY['campaigns.current_daily_calls', 'campaigns.execution_status', 'campaign_calls.status', 'campaign_calls.started_at',
        'contact_lists.description', 'contacts.contact_list_id', 'csv_files.processed_contacts', 'csv_contacts.csv_file_id'];
    taken TEXT;
    here INT;
BEGIN
    SELECT string_agg(name, ', ' ORDER BY name) INTO taken FROM unnest(ours) AS name WHERE to_regclass(format('%I.%I', current_schema(), name)) IS NOT NULL;
    SELECT count(*) INTO here FROM unnest(theirs) AS name WHERE to_regclass(format('%I.%I', current_schema(), name)) IS NOT NULL;
    IF taken IS NULL AND here > 0 THEN
        -- All of them, as the script makes them: else they are somebody else's.
        SELECT string_agg(split_part(name, '.', 1), ', ') INTO taken FROM unnest(known) AS name
        WHERE NOT EXISTS (SELECT 1 FROM information_schema.columns AS c
                          WHERE c.table_schema = current_schema() AND c.table_name || '.' || c.column_name = name);
    END IF;
    IF taken IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" has tables of another application where dialdeck needs its own (%)', current_schema(), taken
            USING HINT = 'Give dialdeck a schema of its own: CREATE SCHEMA dialdeck, and ?options=-csearch_path%3Ddialdeck at the end of the URL.';
    END IF;
    IF here > 0 THEN
        CREATE SCHEMA dialdeck_before;
        FOR i IN 1 .. array_length(theirs, 1) LOOP
            EXECUTE format('ALTER TABLE %I SET SCHEMA dialdeck_before', theirs[i]);
        END LOOP;
    END IF;
END $$;
