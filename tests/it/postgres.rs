//! PostgreSQL's schema: that of SQLite in its own types, closed between owners, brought up to date by `migrate`, also
//! over what the system before has left.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Output, Stdio},
};

use dialdeck::store::{Migrated, Store, StoreError, migrate_postgres, postgres_as_sql};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};

use crate::support::postgres::{self, Database};

/// The two owners of these tests.
const A: &str = "00000000-0000-0000-0000-00000000000a";
const B: &str = "00000000-0000-0000-0000-00000000000b";

async fn run(db: &mut PgConnection, sql: impl Into<String>) -> u64 {
    let sql = sql.into();
    sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(db).await.unwrap_or_else(|e| panic!("{sql}: {e}")).rows_affected()
}

async fn count(db: &mut PgConnection, of: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {of}"))).fetch_one(db).await.unwrap_or_else(|e| panic!("{of}: {e}"))
}

/// One text column of every row, all of them joined.
async fn words(db: &mut PgConnection, sql: &str) -> String {
    let rows: Vec<Option<String>> = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(db).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    rows.into_iter().map(|r| r.unwrap_or_else(|| "-".into())).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_database_that_is_up_to_date_is_left_alone() {
    let Some(database) = postgres::database().await else { return };
    let first = migrate_postgres(&database.url).await.unwrap();
    assert_eq!((first.applied, first.passes_by_owners), (0, true), "the template has it, and a superuser passes by: {first:?}");
    assert!(!first.place.contains("postgres@"), "no login in what people read: {}", first.place);

    // Whoever may not change it finds it up to date all the same.
    let reader = database.login("reader", "IN ROLE dialdeck_engine").await;
    let again = migrate_postgres(&reader).await.unwrap();
    assert_eq!((again.applied, again.passes_by_owners), (0, false));
}

#[tokio::test]
async fn who_may_not_change_the_schema_is_told_the_way_out() {
    let Some(database) = postgres::empty_database().await else { return };
    let stranger = database.login("stranger", "").await;
    let refused = migrate_postgres(&stranger).await.unwrap_err().to_string();
    assert!(refused.contains("migrate_url") && refused.contains(&database.name), "{refused}");
    let mut db = database.connect().await;
    assert_eq!(count(&mut db, "pg_tables WHERE schemaname = 'public'").await, 0, "all of it or nothing");

    let owner = owner_of(&database).await;
    let made = migrate_postgres(&owner).await.unwrap();
    assert!(made.applied > 0 && !made.passes_by_owners, "{made:?}");
    assert_eq!(migrate_postgres(&owner).await.unwrap(), Migrated { applied: 0, ..made });

    run(&mut db, "INSERT INTO _sqlx_migrations VALUES (9999, 'tomorrow', now(), TRUE, '', 0)").await;
    let newer = migrate_postgres(&owner).await.unwrap_err();
    assert!(matches!(&newer, StoreError::Newer(_)), "{newer}");
    assert!(newer.to_string().contains("9999") && newer.to_string().contains("newer"), "{newer}");
}

/// A login that owns the database and is no superuser.
async fn owner_of(database: &Database) -> String {
    let url = database.login("maker", "CREATEROLE").await;
    run(&mut database.connect().await, format!("ALTER DATABASE {0} OWNER TO maker_{0}; GRANT authenticated, dialdeck_engine TO maker_{0}", database.name))
        .await;
    url
}

#[tokio::test]
async fn names_that_are_somebody_elses_are_left_alone() {
    let Some(database) = postgres::empty_database().await else { return };
    let mut db = database.connect().await;
    run(&mut db, "CREATE TABLE contacts (id INT)").await;
    let refused = migrate_postgres(&database.url).await.unwrap_err().to_string();
    assert!(refused.contains("another application") && refused.contains("search_path"), "{refused}");
    assert_eq!(count(&mut db, "contacts").await, 0);
    run(&mut db, "DROP TABLE contacts; CREATE TABLE audit (id INT)").await;
    assert!(migrate_postgres(&database.url).await.unwrap_err().to_string().contains("(audit)"));
    // As the words say.
    run(&mut db, "CREATE SCHEMA dialdeck").await;
    migrate_postgres(&format!("{}?options=-csearch_path%3Ddialdeck", database.url)).await.unwrap();
    assert_eq!(count(&mut db, "dialdeck.audit").await, 0);
}

/// Tables of one kind of database that the other has not, or has otherwise.
const OF_ONE_KIND: &[(&str, &str)] = &[
    ("call_search", "a virtual table there, one of lexemes here"),
    ("writers", "looks up a COMMIT without an answer, which a file has not"),
    ("dialling", "who dials, by the server's clock; beside a file it is a lock"),
];

#[derive(Debug, PartialEq, Eq)]
struct Column {
    kind: String,
    needed: bool,
}

type Columns = BTreeMap<(String, String), Column>;
/// Of each index by its name: its table, its columns, whether it is unique, whether it is of all rows.
type Indexes = BTreeMap<String, (String, Vec<String>, bool, bool)>;

#[tokio::test]
async fn both_kinds_have_the_same_tables_columns_and_indexes() {
    let Some(database) = postgres::database().await else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", dir.path().join("t.db").display());
    drop(Store::open(&file).await.unwrap());
    let mut there = SqliteConnection::connect(&file).await.unwrap();
    let mut here = database.connect().await;

    let (theirs, ours) = (sqlite_columns(&mut there).await, postgres_columns(&mut here).await);
    let names = |of: &Columns| of.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&theirs), names(&ours));
    for (name, column) in &theirs {
        let (kind, needed) = (ours[name].kind.as_str(), ours[name].needed);
        assert_eq!(needed, column.needed, "{name:?} may be empty in one and not the other");
        let at = name.1.ends_with("_at") || ["at", "until", "lease_until", "held_until"].contains(&name.1.as_str());
        let fits = match column.kind.as_str() {
            "BLOB" => kind == "uuid",
            "INTEGER" => kind == "bigint" || kind == "boolean",
            "REAL" => kind == "double precision",
            "TEXT" if at => kind == "timestamp with time zone",
            "TEXT" => kind == "text" || kind == "jsonb",
            // What a view works out has no type there.
            _ => true,
        };
        assert!(fits, "{name:?}: {} there, {kind} here", column.kind);
    }
    let (theirs, ours) = (sqlite_indexes(&mut there).await, postgres_indexes(&mut here).await);
    assert_eq!(theirs, ours);
    let sorted = "SELECT DISTINCT c.relname || '.' || a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
                  JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_collation l ON l.oid = a.attcollation WHERE n.nspname = 'public' AND l.collname <> 'C'";
    assert_eq!(words(&mut here, sorted).await, "", "what is in an index is sorted by its bytes, as there");
}

fn is_of_one_kind(table: &str) -> bool {
    table.starts_with("call_search") || OF_ONE_KIND.iter().any(|(t, _)| *t == table)
}

async fn sqlite_columns(db: &mut SqliteConnection) -> Columns {
    let sql = "SELECT m.name, c.name, c.type, c.\"notnull\" OR (m.type = 'table' AND c.pk > 0), m.type FROM sqlite_schema m, pragma_table_xinfo(m.name) c
               WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite%' AND m.name <> '_sqlx_migrations'";
    let rows: Vec<(String, String, String, bool, String)> = sqlx::query_as(sql).fetch_all(db).await.unwrap();
    rows.into_iter().filter(|r| !is_of_one_kind(&r.0)).map(|(table, column, kind, needed, _)| ((table, column), Column { kind, needed })).collect()
}

async fn postgres_columns(db: &mut PgConnection) -> Columns {
    let sql = "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'NO' FROM information_schema.columns
               WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'";
    let rows: Vec<(String, String, String, bool)> = sqlx::query_as(sql).fetch_all(db).await.unwrap();
    rows.into_iter().filter(|r| !is_of_one_kind(&r.0)).map(|(table, column, kind, needed)| ((table, column), Column { kind, needed })).collect()
}

async fn sqlite_indexes(db: &mut SqliteConnection) -> Indexes {
    let sql = "SELECT i.name, m.name, c.name, i.\"unique\", i.partial, i.origin FROM sqlite_schema m, pragma_index_list(m.name) i, pragma_index_xinfo(i.name) c
               WHERE m.type = 'table' AND c.key = 1 AND m.name <> '_sqlx_migrations' ORDER BY i.name, c.seqno";
    let mut all = Indexes::new();
    for row in sqlx::query(sql).fetch_all(db).await.unwrap() {
        let (name, table, column): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        put(&mut all, named(name, &table, &row.get::<String, _>(5)), table, column, row.get(3), !row.get::<bool, _>(4));
    }
    all
}

async fn postgres_indexes(db: &mut PgConnection) -> Indexes {
    let sql = "SELECT x.relname::text, t.relname::text, a.attname::text, i.indisunique, i.indpred IS NULL,
                      CASE WHEN i.indisprimary THEN 'pk' WHEN EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid) THEN 'u' ELSE 'c' END
               FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
               CROSS JOIN unnest(i.indkey::int[]) WITH ORDINALITY AS k (attnum, place) JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum
               WHERE n.nspname = 'public' AND t.relname <> '_sqlx_migrations' ORDER BY x.relname, k.place";
    let mut all = Indexes::new();
    for row in sqlx::query(sql).fetch_all(db).await.unwrap() {
        let (name, table, column): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        put(&mut all, named(name, &table, &row.get::<String, _>(5)), table, column, row.get(3), row.get(4));
    }
    all
}

/// Keys have names of their database's own making: here they are called by what they are.
fn named(name: String, table: &str, origin: &str) -> String {
    if origin == "c" { name } else { format!("{origin} of {table}") }
}

fn put(all: &mut Indexes, name: String, table: String, column: String, unique: bool, whole: bool) {
    // A row's own number is a key that SQLite has no index for.
    let numbers = ["call_events", "call_outcomes", "audit"];
    if is_of_one_kind(&table) || (numbers.contains(&table.as_str()) && name.starts_with("pk")) {
        return;
    }
    all.entry(name).or_insert((table, Vec::new(), unique, whole)).1.push(column);
}

/// A row of an owner in every table that is the owners': `@me` is the owner, `@ca` an id of the owner's campaign and so on,
/// `$` a digit that the two owners differ by.
const ROWS: &[(&str, &str)] = &[
    ("assistants", "(id, user_id, name, created_at, updated_at) VALUES (@as, @me, 'Sarah', now(), now())"),
    ("trunks", "(id, user_id, livekit_id, max_live, refilled_at, created_at) VALUES (@tr, @me, 'ST_$', 10, now(), now())"),
    ("phone_number", "(id, user_id, number, inbound_assistant_id, created_at, updated_at) VALUES (@pn, @me, '+1555000999$', @as, now(), now())"),
    ("contact_lists", "(id, user_id, name, created_at, updated_at) VALUES (@li, @me, 'Leads', now(), now())"),
    ("contacts", "(id, contact_list_id, position, name, phone_number, country, zones, created_at) VALUES (@co, @li, 1, 'Ann', '+1202555010$', 'US', '', now())"),
    ("csv_files", "(id, user_id, filename, original_filename, created_at, updated_at) VALUES (@fi, @me, 'f.csv', 'f.csv', now(), now())"),
    ("csv_contacts", "(id, csv_file_id, position, name, phone_number, country, zones, created_at) VALUES (@cc, @fi, 1, 'Bob', '+1202555011$', 'US', '', now())"),
    (
        "campaigns",
        "(id, user_id, name, assistant_id, contact_source, contact_list_id, daily_cap, calling_days, start_hour, end_hour, timezone, max_concurrent, call_delay_ms,
          ring_timeout_s, max_call_duration_s, retry, status_at, created_at, updated_at)
         VALUES (@ca, @me, 'Q4', @as, 'contact_list', @li, 100, '[]', 9, 17, 'UTC', 5, 2000, 30, 900, '{}', now(), now(), now())",
    ),
    ("campaign_counts", "(campaign_id) VALUES (@ca)"),
    ("campaign_days", "(campaign_id, day, cap) VALUES (@ca, '2026-11-27', 100)"),
    ("campaign_minutes", "(campaign_id, minute) VALUES (@ca, 1)"),
    (
        "campaign_calls",
        "(id, user_id, campaign_id, phone_number, country, zones, dialable_at, created_at, updated_at)
         VALUES (@kk, @me, @ca, '+1202555010$', 'US', '', now(), now(), now())",
    ),
    ("call_events", "(key, call_id, source, kind, raw, at, received_at) VALUES ('k$', @kk, 's', '{}', '', now(), now())"),
    ("call_outcomes", "(call_id, who, at) VALUES (@kk, 'operator', now())"),
    ("call_reports", "(call_id, at) VALUES (@kk, now())"),
    ("call_requests", "(id, call_id, user_id, kind, asked_by, source, at) VALUES (@rq, @kk, @me, 'hangup', '', '', now())"),
    ("recordings", "(sid, call_id, source, status, created_at, updated_at) VALUES ('RE$', @kk, 'twilio', 'completed', now(), now())"),
    ("recording_tasks", "(call_id) VALUES (@kk)"),
    ("listening_lines", "(request_id, call_id, trunk_id, taken_at, until) VALUES (@ll, @kk, @tr, now(), now())"),
    ("do_not_call", "(user_id, number, source, created_at) VALUES (@me, '+1202555012$', 's', now())"),
    ("idempotency_keys", "(user_id, key, request, status, body, created_at) VALUES (@me, 'k', '', 200, '', now())"),
    ("audit", "(at, user_id, actor, source, action) VALUES (now(), @me, 'x', 's', 'a')"),
    ("call_search", "(dialled, user_id, words) VALUES (ascii('$'), @me, array_to_tsvector(ARRAY['nann', 'o' || replace(@me, '-', '')]))"),
];

/// Calls by a word that both owners' have.
const FOUND: &str = "found_calls('''nan'':*', 0, 1000, 10)";

/// Tables of the installation: no owner's.
const INSTALLATION: &[&str] = &["settings", "engines", "numbers_live", "assigning"];

/// A text as it is of one owner.
fn of(owner: &str, text: &str) -> String {
    let mut out = text.replace("@me", &format!("'{owner}'")).replace('$', if owner == A { "1" } else { "2" });
    while let Some(at) = out.find('@') {
        let what = out.as_bytes()[at + 1..at + 3].iter().fold(String::new(), |hex, b| hex + &format!("{b:02x}"));
        out.replace_range(at..at + 3, &format!("'{}-{what}-{}'", &owner[..18], &owner[24..]));
    }
    out
}

/// From here on as an owner: role and claims, as what a user causes has them.
async fn act_as(db: &mut PgConnection, owner: &str) {
    run(db, format!("RESET ROLE; SELECT set_config('role', 'authenticated', false), set_config('request.jwt.claims', '{{\"sub\": \"{owner}\"}}', false)"))
        .await;
}

/// A connection of the engine to a database in which both owners have a row in each table.
async fn two_owners(database: &Database) -> PgConnection {
    let mut db = database.connect().await;
    run(&mut db, "SET ROLE dialdeck_engine").await;
    for owner in [A, B] {
        for (table, row) in ROWS {
            run(&mut db, of(owner, &format!("INSERT INTO {table} {row}"))).await;
        }
    }
    db
}

#[tokio::test]
async fn every_table_is_closed_and_known_to_this_test() {
    let Some(database) = postgres::database().await else { return };
    let mut db = database.connect().await;
    let open = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                AND NOT (relrowsecurity AND (relforcerowsecurity OR relname = '_sqlx_migrations'))";
    assert_eq!(words(&mut db, open).await, "", "tables without row level security, or whose owner passes by it");
    let written = "SELECT DISTINCT table_name::text FROM information_schema.role_table_grants
                   WHERE grantee = 'authenticated' AND privilege_type <> 'SELECT' AND table_schema = 'public' ORDER BY 1";
    let known: BTreeSet<&str> = ROWS.iter().map(|r| r.0).collect();
    assert_eq!(words(&mut db, written).await.lines().collect::<BTreeSet<_>>(), known, "what owners write is tried below, table by table");
    let views = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v' AND NOT COALESCE('security_invoker=true' = ANY (reloptions), FALSE)";
    assert_eq!(words(&mut db, views).await, "", "a view that looks at rows as its owner shows everybody's");
    let away = "SELECT table_name || ' ' || privilege_type FROM information_schema.role_table_grants
                WHERE grantee IN ('PUBLIC', 'anon', 'authenticated', 'dialdeck_engine') AND privilege_type IN ('TRUNCATE', 'TRIGGER', 'REFERENCES') AND table_schema = 'public'";
    assert_eq!(words(&mut db, away).await, "", "no policy holds for TRUNCATE");
    assert_eq!(
        words(
            &mut db,
            "SELECT rolname::text FROM pg_roles WHERE rolname IN ('authenticated', 'dialdeck_engine') AND (rolcanlogin OR rolbypassrls OR rolsuper)"
        )
        .await,
        ""
    );
}

#[tokio::test]
async fn a_forgotten_filter_shows_and_changes_nothing_of_another_owner() {
    let Some(database) = postgres::database().await else { return };
    let mut db = two_owners(&database).await;
    for (table, _) in ROWS {
        assert_eq!(count(&mut db, table).await, 2, "{table}: the engine sees both");
    }
    act_as(&mut db, A).await;
    for (table, _) in ROWS {
        assert_eq!(count(&mut db, table).await, 1, "{table}: SELECT without a filter");
        if *table != "audit" {
            run(&mut db, "BEGIN").await;
            let column = first_column(&mut db, table).await;
            assert_eq!(run(&mut db, format!("UPDATE {table} SET {column} = {column}")).await, 1, "{table}: UPDATE without a filter");
            run(&mut db, "ROLLBACK").await;
        }
    }
    for view in ["campaign_contacts", "calls"] {
        assert_eq!(count(&mut db, view).await, if view == "calls" { 1 } else { 2 }, "{view}: a row in each of its tables");
    }
    let found = words(&mut db, &format!("SELECT dialled::text FROM {FOUND}")).await;
    assert_eq!(found, "49", "words find one's own");
    // Those that hang on others first.
    for (table, _) in ROWS.iter().rev().filter(|r| r.0 != "audit") {
        assert_eq!(run(&mut db, format!("DELETE FROM {table}")).await, 1, "{table}: DELETE without a filter");
    }
    run(&mut db, "RESET ROLE; SET ROLE dialdeck_engine").await;
    for (table, _) in ROWS {
        let of_the_other = whose(table, B);
        assert_eq!(count(&mut db, &of_the_other).await, 1, "{table}: the other's is there");
    }
}

/// The rows of a table that are an owner's, told by the row itself and not by any policy.
fn whose(table: &str, owner: &str) -> String {
    let row = ROWS.iter().find(|r| r.0 == table).unwrap().1;
    let (names, values) = row.split_once(" VALUES ").unwrap();
    let name = names
        .trim_matches(|c| "( )\n".contains(c))
        .split(',')
        .map(str::trim)
        .position(|n| ["user_id", "call_id", "campaign_id", "contact_list_id", "csv_file_id"].contains(&n));
    let at = name.unwrap_or_else(|| panic!("{table} has no owner"));
    let column = names.trim_matches(|c| "( )\n".contains(c)).split(',').nth(at).unwrap().trim().to_owned();
    let value = of(owner, values.trim_start_matches('(').split(',').nth(at).unwrap().trim_end_matches(')'));
    format!("{table} WHERE {column} = {value}")
}

async fn first_column(db: &mut PgConnection, table: &str) -> String {
    words(db, &format!("SELECT attname::text FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum = 1")).await
}

#[tokio::test]
async fn nothing_is_read_written_or_given_with_another_owners_name() {
    let Some(database) = postgres::database().await else { return };
    let mut db = two_owners(&database).await;
    act_as(&mut db, A).await;
    for (table, row) in ROWS {
        let theirs = whose(table, B);
        let mine = whose(table, A);
        assert_eq!(count(&mut db, &theirs).await, 0, "SELECT {theirs}");
        assert_eq!(count(&mut db, &mine).await, 1, "SELECT {mine}");
        refused(&mut db, &of(B, &format!("INSERT INTO {table} {row}"))).await;
        if *table == "audit" {
            // Not even their own: a line of the audit stays.
            refused(&mut db, &format!("UPDATE {table} SET actor = 'y'")).await;
            refused(&mut db, &format!("DELETE FROM {table}")).await;
            continue;
        }
        let condition = theirs.split_once(" WHERE ").unwrap().1;
        let column = condition.split_once(" = ").unwrap().0;
        assert_eq!(run(&mut db, format!("UPDATE {table} SET {column} = {column} WHERE {condition}")).await, 0, "UPDATE {theirs}");
        assert_eq!(run(&mut db, format!("DELETE FROM {theirs}")).await, 0, "DELETE {theirs}");
        refused(&mut db, &format!("UPDATE {table} SET {condition}")).await;
        refused(&mut db, &format!("TRUNCATE {table}")).await;
    }
    // A campaign of one's own over somebody else's people, by their assistant; a number for their assistant.
    for given in ["contact_list_id = @li", "assistant_id = @as", "csv_file_id = @fi"] {
        refused(&mut db, &format!("UPDATE campaigns SET {}", of(B, given))).await;
    }
    refused(&mut db, &format!("UPDATE phone_number SET {}", of(B, "inbound_assistant_id = @as"))).await;
    // Whoever is nobody has nothing, and a login without a role less.
    act_as(&mut db, "00000000-0000-0000-0000-00000000000c").await;
    assert_eq!(count(&mut db, "campaigns").await, 0);
    run(&mut db, "SELECT set_config('request.jwt.claims', '', false)").await;
    assert_eq!((count(&mut db, "campaigns").await, count(&mut db, FOUND).await), (0, 0));
    run(&mut db, "RESET ROLE; SET ROLE dialdeck_engine").await;
    assert_eq!(count(&mut db, FOUND).await, 2);
    let plain = database.login("plain", "IN ROLE dialdeck_engine NOINHERIT").await;
    let mut plain = PgConnection::connect(&plain).await.unwrap();
    refused(&mut plain, "SELECT * FROM campaigns").await;
    refused(&mut plain, &format!("SELECT * FROM {FOUND}")).await;
}

async fn refused(db: &mut PgConnection, sql: &str) {
    let e = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(db).await.map(|d| d.rows_affected()).expect_err(sql);
    assert_eq!(e.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref(), Some("42501"), "{sql}: {e}");
}

#[tokio::test]
async fn the_installations_own_tables_are_read_where_they_decide_and_written_by_no_owner() {
    let Some(database) = postgres::database().await else { return };
    let mut db = two_owners(&database).await;
    let hex = |owner: &str| owner.replace('-', "");
    for key in [
        "jwt_secret",
        "kill_switch",
        &format!("national_list:{}:US", hex(A)),
        &format!("national_list:{}:US", hex(B)),
        &of(A, "campaign_note:@ca").replace('\'', ""),
        &of(B, "campaign_note:@ca").replace('\'', ""),
    ] {
        run(&mut db, format!("INSERT INTO settings VALUES ('{key}', 'x')")).await;
    }
    run(
        &mut db,
        "INSERT INTO engines VALUES (gen_random_uuid(), 'h', 1, now(), now()); INSERT INTO assigning VALUES ('+1', gen_random_uuid(), now());
                  INSERT INTO numbers_live (number, last_armed_at) VALUES ('+12025550101', now()), ('+12025550102', now())",
    )
    .await;
    act_as(&mut db, A).await;
    let seen = words(&mut db, "SELECT key FROM settings ORDER BY key").await;
    assert_eq!(
        seen,
        format!("{}\nkill_switch\nnational_list:{}:US", of(A, "campaign_note:@ca").replace('\'', ""), hex(A)),
        "never the secret, never of another owner"
    );
    assert_eq!(count(&mut db, "engines").await, 1, "who dials is seen by all");
    assert_eq!(words(&mut db, "SELECT number FROM numbers_live").await, "+12025550101", "of the numbers that one calls oneself");
    for table in INSTALLATION {
        refused(&mut db, &format!("DELETE FROM {table}")).await;
        refused(&mut db, &format!("INSERT INTO {table} SELECT * FROM {table}")).await;
    }
    refused(&mut db, "SELECT * FROM assigning").await;
    // A list that all owners share is read by all, and each writes its own lines.
    assert_eq!(count(&mut db, "do_not_call").await, 1);
    run(&mut db, "RESET ROLE; SET ROLE dialdeck_engine; INSERT INTO settings VALUES ('shared_do_not_call', 'on')").await;
    act_as(&mut db, A).await;
    assert_eq!(count(&mut db, "do_not_call").await, 2);
    assert_eq!(run(&mut db, "DELETE FROM do_not_call").await, 1);
}

/// What a schema is made of, told by the catalogue.
async fn catalogue(db: &mut PgConnection) -> String {
    let parts = [
        "SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || COALESCE(column_default, '') || COALESCE(collation_name, '')
         FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
        "SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1",
        "SELECT tablename || ' ' || policyname || ' ' || roles::text || ' ' || cmd || COALESCE(qual, '') || COALESCE(with_check, '') FROM pg_policies WHERE schemaname = 'public' ORDER BY 1",
        "SELECT table_name || ' ' || grantee || ' ' || privilege_type FROM information_schema.role_table_grants WHERE table_schema = 'public' AND grantee <> 'postgres' ORDER BY 1",
        "SELECT relname || relrowsecurity || relforcerowsecurity FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1",
        "SELECT pg_get_functiondef(oid) || proowner::regrole || proacl::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
        "SELECT version || description || encode(checksum, 'hex') FROM _sqlx_migrations ORDER BY 1",
    ];
    let mut all = String::new();
    for part in parts {
        all.push_str(&words(db, part).await);
        all.push('\n');
    }
    all
}

fn psql(database: &Database, script: &str) -> Output {
    use std::io::Write;
    let mut psql = Command::new(postgres::programs().unwrap().join("psql"));
    let mut psql =
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", &database.url]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    psql.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    psql.wait_with_output().unwrap()
}

#[tokio::test]
async fn the_printed_schema_is_the_one_that_migrate_makes() {
    let (Some(made), Some(printed)) = (postgres::database().await, postgres::empty_database().await) else { return };
    let script = postgres_as_sql();
    // Again over itself, as an editor's user may.
    for _ in 0..2 {
        let out = psql(&printed, &script);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
    let (mut made, mut db) = (made.connect().await, printed.connect().await);
    assert_eq!(catalogue(&mut db).await, catalogue(&mut made).await);
    assert_eq!(migrate_postgres(&printed.url).await.unwrap().applied, 0, "a start finds it up to date");
}

/// A database as the system before has left it.
const BEFORE: &str = include_str!("support/before.sql");

#[tokio::test]
async fn what_the_system_before_has_left_is_taken_over_and_nothing_of_it_dialled() {
    let Some(database) = postgres::empty_database().await else { return };
    // Not a superuser: as on a managed server.
    let owner = owner_of(&database).await;
    let mut db = PgConnection::connect(&owner).await.unwrap();
    run(&mut db, BEFORE).await;
    let tables = ["campaigns", "campaign_calls", "contact_lists", "contacts", "csv_files", "csv_contacts", "phone_number"];
    let mut ids = Vec::new();
    for table in tables {
        ids.push(words(&mut db, &format!("SELECT id::text FROM {table} ORDER BY id")).await);
    }
    let made = migrate_postgres(&owner).await.unwrap();
    assert!(made.adopted > 20, "{made:?}");

    let mut db = database.connect().await;
    for (table, before) in tables.iter().zip(ids) {
        assert_eq!(words(&mut db, &format!("SELECT id::text FROM {table} ORDER BY id")).await, before, "{table}: every row, under its own id");
    }
    let campaigns =
        "SELECT name || ' ' || execution_status || ' ' || daily_cap || ' ' || calling_days || ' ' || COALESCE(fill_position, -1) FROM campaigns ORDER BY name";
    assert_eq!(words(&mut db, campaigns).await, "Old completed 1 [\"friday\"] -1\nQ4 paused 100 [\"monday\", \"tuesday\"] 0");
    let calls = "SELECT right(phone_number, 4) || ' ' || state || ' ' || status || ' ' || rank || ' ' || attempt || ' ' || charged || ' ' || (contact_id IS NOT NULL) FROM campaign_calls
                 ORDER BY campaign_id, phone_number, attempt";
    insta::assert_snapshot!("calls_of_the_system_before", words(&mut db, calls).await);
    let people = "SELECT name || ' | ' || phone_number || ' | ' || country || ' | ' || do_not_call || ' | ' || notes FROM contacts ORDER BY phone_number";
    insta::assert_snapshot!("people_of_the_system_before", words(&mut db, people).await);
    assert_eq!(words(&mut db, "SELECT number FROM do_not_call ORDER BY number").await, "+12025550101\n+12025550204", "whoever said no, anywhere");
    let held = "SELECT number FROM numbers_live WHERE call_id IS NULL AND held_until > now() + interval '20 hours' ORDER BY 1";
    assert_eq!(words(&mut db, held).await, "+12025550201\n+12025550202", "who may still be on the line is left alone");
    assert_eq!(words(&mut db, "SELECT name || ' ' || prompt FROM assistants ORDER BY name").await, "Assistant \nSarah Hello {name}");
    assert_eq!(words(&mut db, "SELECT contact_count || ' ' || do_not_call_count FROM contact_lists").await, "4 3");

    // Their other tables are as they were, the view of ours beside the table of that name.
    assert_eq!((count(&mut db, "calls").await, count(&mut db, "dialdeck.calls").await, count(&mut db, "agents").await), (1, 10, 1));
    assert_eq!(words(&mut db, "SELECT dials::text FROM dialdeck_before.campaigns ORDER BY name").await, "0\n99", "what has no place here is kept aside");
    run(&mut db, "INSERT INTO phone_number (phone_sid, number, user_id) VALUES ('PN2', '+15550008888', '00000000-0000-0000-0000-00000000000a')").await;

    // An owner sees its own; again changes nothing.
    act_as(&mut db, A).await;
    assert_eq!((count(&mut db, "campaigns").await, count(&mut db, "campaign_calls").await, count(&mut db, "contacts").await), (1, 9, 0));
    let again = migrate_postgres(&owner).await.unwrap();
    assert_eq!((again.applied, again.adopted), (0, 0));
}

/// The sums of campaigns are what their calls are.
#[tokio::test]
async fn sums_of_what_was_taken_over_are_those_of_its_calls() {
    let Some(database) = postgres::empty_database().await else { return };
    let out = psql(&database, &format!("{BEFORE}\n{}", postgres_as_sql()));
    assert!(out.status.success(), "an SQL editor takes it over as well: {}", String::from_utf8_lossy(&out.stderr));
    assert!(migrate_postgres(&database.url).await.unwrap().adopted > 20, "countries are written by whoever comes next");
    let mut db = database.connect().await;
    let sums = "SELECT total || ' ' || pending || ' ' || processing || ' ' || completed || ' ' || failed || ' ' || no_answer || ' ' || busy || ' ' || canceled || ' ' || dials || ' '
                || pickups || ' ' || interested || ' ' || do_not_call || ' ' || untagged || ' ' || talk_seconds FROM campaign_counts ORDER BY campaign_id";
    assert_eq!(words(&mut db, sums).await, "9 0 0 3 3 1 1 1 8 3 1 1 1 70\n1 0 0 1 0 0 0 0 1 1 0 0 1 30");
    assert_eq!(
        words(&mut db, "SELECT sum(armed) || ' ' || sum(dials) || ' ' || sum(answered) || ' ' || sum(talk_seconds) FROM campaign_minutes").await,
        "9 9 4 100"
    );
}

fn dialdeck(dir: &std::path::Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialdeck"));
    command.args(args).current_dir(dir).env_clear().env("HOME", dir).stdin(Stdio::null()).output().unwrap()
}

#[tokio::test]
async fn migrate_says_what_it_did_and_who_passes_by_the_doors() {
    let Some(database) = postgres::empty_database().await else { return };
    let dir = tempfile::tempdir().unwrap();
    let said = |out: &Output| format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    let secret = database.url.replacen("postgres@", "postgres:hunter2@", 1);
    let out = dialdeck(dir.path(), &["--database", &secret, "migrate"]);
    let words = said(&out);
    assert!(out.status.success() && words.contains("is up to date") && words.contains("superuser"), "{words}");
    assert!(!words.contains("hunter2"), "{words}");
    let out = dialdeck(dir.path(), &["--json", "--database", &secret, "migrate"]);
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((&json["applied"], &json["passesByOwners"]), (&0.into(), &true.into()), "{json}");

    // A login of its own for the schema.
    std::fs::write(dir.path().join("c.toml"), format!("[database]\nurl = \"postgres://nobody@127.0.0.1:1/x\"\nmigrate_url = \"{secret}\"\n")).unwrap();
    let out = dialdeck(dir.path(), &["--config", "c.toml", "migrate"]);
    assert!(out.status.success(), "{}", said(&out));
    let out = dialdeck(dir.path(), &["--database", "postgres://nobody:hunter2@127.0.0.1:1/x", "migrate"]);
    assert!(out.status.code() == Some(1) && said(&out).contains("127.0.0.1:1") && !said(&out).contains("hunter2"), "{}", said(&out));

    let script = dialdeck(dir.path(), &["--database", "postgres://anywhere/x", "migrate", "--print-sql"]);
    assert_eq!(String::from_utf8_lossy(&script.stdout).trim_end(), postgres_as_sql().trim_end());
    let script = dialdeck(dir.path(), &["migrate", "--print-sql"]);
    assert!(String::from_utf8_lossy(&script.stdout).contains("STRICT"), "a file's, where no server is named");
}

/// The login of the daily work changes no table and sees rows only by the roles it is in; another one makes the schema.
#[tokio::test]
async fn the_daily_login_needs_no_right_but_its_two_roles() {
    let Some(database) = postgres::empty_database().await else { return };
    let dir = tempfile::tempdir().unwrap();
    let daily = database.login("daily", "IN ROLE authenticated, dialdeck_engine").await;
    let run = |args: &[&str], migrate: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dialdeck"));
        command.args(args).current_dir(dir.path()).env_clear().env("HOME", dir.path()).env("DATABASE_URL", &daily).stdin(Stdio::null());
        let out = command.env("DIALDECK_DATABASE__MIGRATE_URL", migrate).output().unwrap();
        (out.status.success(), format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
    };
    let (done, said) = run(&["assistant", "list"], "");
    assert!(!done && said.contains("migrate_url"), "it may not make the tables: {said}");
    let (done, said) = run(&["assistant", "add", "Sarah"], &database.url);
    assert!(done, "a start makes them by the other login: {said}");
    let (done, said) = run(&["assistant", "list"], "");
    assert!(done && said.contains("Sarah"), "from then on it is enough: {said}");
    let mut stranger = PgConnection::connect(&database.login("stranger", "").await).await.unwrap();
    refused(&mut stranger, "SELECT * FROM assistants").await;
}
