//! What a user causes runs as that user where the database knows owners: a statement that forgot its owner's filter
//! sees and changes nothing of another one. Each statement of the conformance suite is held to that by
//! [`nothing_is_a_strangers`]; what is here is about the roles themselves.

use std::{
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use dialdeck::{
    clock::{Clock, SystemClock},
    domain::id::{AssistantId, OwnerId},
    store::{AssistantRow, Lane, Setting, Shadow, Store, StoreError},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::PgConnection;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{
    api::Rest,
    support::{
        Options, World,
        http::call,
        postgres::{Database, database, empty_database},
    },
};

/// What a stranger may be told: it is of the installation, and of no owner.
const FOR_ALL: &[(&str, &str)] = &[
    ("SELECT value FROM settings WHERE key = $1", "one fact for all; which of them a user reads is in postgres.rs"),
    ("SELECT key, value FROM settings WHERE key IN", "the same, several at once"),
    ("FROM engines", "who dials"),
    ("FROM dialling", "who dials"),
    ("FROM _sqlx_migrations", "the schema"),
    ("SELECT current_setting('server_version')", "the server"),
    ("SELECT pg_database_size(current_database())", "the server"),
    ("FROM do_not_call d", "a list that owners share is read by all"),
];

/// Every statement that ran tells a stranger nothing, and changes nothing, with the very words and values that its
/// owner's filter lets through.
pub fn nothing_is_a_strangers(watched: Option<&Shadow>) {
    let Some(watched) = watched else { return };
    let seen = watched.seen();
    let open = seen.iter().filter(|(sql, seen)| seen.by_stranger > 0 && !FOR_ALL.iter().any(|(words, _)| sql.contains(words)));
    let open: Vec<String> = open.map(|(sql, seen)| format!("{seen:?}: {sql}")).collect();
    assert!(open.is_empty(), "a user who owns nothing is told or changes something:\n{}", open.join("\n"));
    assert!(seen.values().any(|s| s.by_own > 0), "nothing was watched: {} statements", seen.len());
    if let Some(path) = std::env::var_os("SHADOW_REPORT") {
        use std::io::Write;
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        for (sql, s) in &seen {
            writeln!(file, "{}\t{}\t{}\t{}", s.by_own, s.by_stranger, s.refused, sql.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap();
        }
    }
}

/// An owner with an assistant.
#[derive(Clone, Copy)]
struct Somebody {
    owner: OwnerId,
    assistant: AssistantId,
}

async fn somebody(store: &Store, name: &'static str) -> Somebody {
    let it = Somebody { owner: OwnerId(uuid::Uuid::new_v4()), assistant: AssistantId::fresh() };
    let row = AssistantRow {
        id: it.assistant,
        user_id: it.owner,
        name: name.into(),
        agent_name: None,
        prompt: "Hello".into(),
        language: "en".into(),
        created_at: SystemClock::new().now(),
    };
    store.of(it.owner).write(Lane::Urgent, move |tx| Box::pin(async move { tx.insert_assistant(&row).await })).await.unwrap();
    it
}

/// A job as `whose` that names each owner where their own filter would let it through: whom of them it sees.
async fn job(store: Store, both: [Somebody; 2], fails: bool) -> Result<[bool; 2], StoreError> {
    store
        .write(Lane::Urgent, move |tx| {
            Box::pin(async move {
                let mut seen = [false; 2];
                for (i, one) in both.iter().enumerate() {
                    seen[i] = tx.assistant(one.owner, one.assistant).await?.is_some();
                    // As the installation, in the middle of it.
                    tx.put_setting(Setting::Probe, "x").await?;
                }
                if fails { Err(StoreError::Busy(format!("{seen:?}"))) } else { Ok(seen) }
            })
        })
        .await
}

/// One thread: what is sent together is one batch.
#[tokio::test]
async fn a_job_of_a_batch_leaves_nothing_of_its_owner_to_the_next() {
    let Some(db) = database().await else { return };
    let store = Store::open(&db.url).await.unwrap();
    let both = [somebody(&store, "Ann").await, somebody(&store, "Bob").await];
    let marks = async || -> i64 { sqlx::query_scalar("SELECT max(batch) FROM writers").fetch_one(&mut db.connect().await).await.unwrap() };
    let before = marks().await;
    let jobs = (0..60).map(|i| {
        let whose = [Some(both[0].owner), Some(both[1].owner), None][i % 3];
        let store = whose.map_or_else(|| store.whole(), |owner| store.of(owner));
        job(store, both, i % 4 == 3)
    });
    for (i, seen) in join_all(jobs).await.into_iter().enumerate() {
        let wanted = [[true, false], [false, true], [true, true]][i % 3];
        match seen {
            Ok(seen) => assert!(seen == wanted && i % 4 != 3, "job {i}: {seen:?}"),
            Err(e) => assert!(i % 4 == 3 && e.to_string().contains(&format!("{wanted:?}")), "job {i}: {e}"),
        }
    }
    assert!(marks().await - before < 10, "they were in few transactions");
    assert_eq!(job(store.whole(), both, false).await.unwrap(), [true, true], "nothing is left to the next transaction");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_a_users_is_nobodys_when_it_goes_back() {
    let Some(db) = database().await else { return };
    let store = Store::open(&db.url).await.unwrap();
    let both = [somebody(&store, "Ann").await, somebody(&store, "Bob").await];
    // More of them than connections.
    let looks = (0..48).map(|i| {
        let whose = [Some(both[0].owner), Some(both[1].owner), None][i % 3];
        let store = whose.map_or_else(|| store.whole(), |owner| store.of(owner));
        tokio::spawn(async move {
            if i % 7 == 6 {
                // Given up in the middle of it.
                drop(tokio::time::timeout(std::time::Duration::from_micros(300), store.assistants(both[0].owner)).await);
            }
            let mut seen = Vec::new();
            for one in both {
                seen.push(!store.assistants(one.owner).await.unwrap().is_empty());
            }
            (i, seen)
        })
    });
    for look in join_all(looks).await {
        let (i, seen) = look.unwrap();
        assert_eq!(seen, [[true, false], [false, true], [true, true]][i % 3], "look {i}");
    }
}

/// What the listener does for two users, each with the ids of the other's rows.
#[tokio::test(flavor = "multi_thread")]
async fn the_listener_works_for_each_user_as_that_user() {
    let rest = Rest::over(World::new(Options { postgres: true, ..Options::default() }).await, "https://x.example");
    let theirs = rest.mint(OwnerId(uuid::Uuid::new_v4()), dialdeck::api::Role::Admin);
    let ask = async |token: &str, method: &str, path: &str, body: Option<Value>| {
        let answer = call(&rest.router, method, &format!("/api/v1{path}"), token, body).await;
        (answer.status.as_u16(), serde_json::from_str(&answer.body).unwrap_or(Value::Null))
    };
    let mine = rest.token.as_str();
    let (status, list) = ask(mine, "POST", "/contact-lists", Some(json!({ "name": "Leads" }))).await;
    assert_eq!(status, 201, "{list}");
    let list = format!("/contact-lists/{}", id_of(&list));
    let (status, said) = ask(mine, "POST", &format!("{list}/contacts"), Some(json!({ "name": "Ann", "phoneNumber": "+12025550143" }))).await;
    assert_eq!(status, 201, "{said}");
    for (path, body) in
        [("/do-not-call", json!({ "phoneNumber": "+12025550199", "reason": "asked" })), ("/terms", json!({ "name": "Ann" })), ("/kill-switch", json!({}))]
    {
        let (status, said) = ask(mine, "POST", path, Some(body)).await;
        assert!((200..300).contains(&status), "{path}: {status} {said}");
    }
    for path in ["/contact-lists", "/campaigns", "/do-not-call", "/assistants", "/phone-numbers", "/kill-switch", "/terms", "/csv"] {
        let ((ours, said), (other, _)) = (ask(mine, "GET", path, None).await, ask(&theirs, "GET", path, None).await);
        assert_eq!((ours, other), (200, 200), "{path}: {said}");
    }
    assert_eq!((ask(mine, "GET", &list, None).await.0, ask(&theirs, "GET", &list, None).await.0), (200, 404));
    assert_eq!(ask(&theirs, "DELETE", &list, None).await.0, 404);
    let (_, numbers) = ask(&theirs, "GET", "/do-not-call", None).await;
    assert!(!numbers.to_string().contains("+12025550199"), "{numbers}");
    assert_eq!(ask(mine, "DELETE", "/kill-switch", None).await.0, 200);
    assert_eq!(ask(mine, "DELETE", &list, None).await.0, 200);
}

fn id_of(answer: &Value) -> String {
    let find = |v: &Value| v["id"].as_str().map(str::to_owned);
    find(answer).or_else(|| answer.as_object()?.values().find_map(find)).unwrap_or_else(|| panic!("no id in {answer}"))
}

/// Counts how often an answer is waited for.
struct Turns {
    url: String,
    asked: Arc<AtomicU64>,
}

impl Turns {
    async fn before(db: &Database) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (before, name) = db.url.rsplit_once('/').unwrap();
        let (login, server) = before.rsplit_once('@').unwrap();
        let (url, server, asked) = (format!("{login}@127.0.0.1:{port}/{name}?sslmode=disable"), server.to_owned(), Arc::new(AtomicU64::new(0)));
        let counted = asked.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server.clone(), counted.clone()));
            }
        });
        Self { url, asked }
    }

    async fn of<T>(&self, work: impl Future<Output = T>) -> u64 {
        let before = self.asked.load(Ordering::SeqCst);
        work.await;
        self.asked.load(Ordering::SeqCst) - before
    }
}

/// Carries both ways; each change of the direction towards the server is a wait.
async fn carry(mut client: TcpStream, server: String, asked: Arc<AtomicU64>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    let (mut to, mut from) = (vec![0; 65536], vec![0; 65536]);
    let mut answered = true;
    loop {
        tokio::select! {
            n = client.read(&mut to) => {
                let Ok(n @ 1..) = n else { return };
                if std::mem::replace(&mut answered, false) {
                    asked.fetch_add(1, Ordering::SeqCst);
                }
                server.write_all(&to[..n]).await.unwrap();
            }
            n = server.read(&mut from) => {
                let Ok(n @ 1..) = n else { return };
                answered = true;
                if client.write_all(&from[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test]
async fn whose_a_job_is_costs_no_round_trip() {
    let Some(db) = database().await else { return };
    let turns = Turns::before(&db).await;
    let store = Store::open(&turns.url).await.unwrap();
    let one = somebody(&store, "Ann").await;
    let look = |store: Store| async move {
        let job = store.write(Lane::Urgent, move |tx| Box::pin(async move { tx.assistant(one.owner, one.assistant).await }));
        assert!(job.await.unwrap().is_some());
    };
    // Each statement is prepared once.
    look(store.whole()).await;
    look(store.of(one.owner)).await;
    assert_eq!(turns.of(look(store.whole())).await, 3, "begin and turn, the statement, the end");
    assert_eq!(turns.of(look(store.of(one.owner))).await, 3, "role and claims go with the beginning, the engine's role with the end");
    let several = |whose: [Store; 4]| join_all(whose.into_iter().map(look));
    let all_ours = turns.of(several([0; 4].map(|_| store.whole()))).await;
    let mixed = turns.of(several([store.of(one.owner), store.whole(), store.of(one.owner), store.whole()])).await;
    assert_eq!((all_ours, mixed), (9, 9), "between two jobs one round trip, whoever's they are");
}

#[tokio::test]
async fn a_superuser_works_behind_the_same_doors_and_is_told() {
    let Some(db) = database().await else { return };
    let daily = db.login("daily", "IN ROLE authenticated, dialdeck_engine").await;
    let (superuser, daily) = (Store::open(&db.url).await.unwrap(), Store::open(&daily).await.unwrap());
    assert!(superuser.passes_by_owners() && !daily.passes_by_owners());
    let both = [somebody(&superuser, "Ann").await, somebody(&daily, "Bob").await];
    for store in [&superuser, &daily] {
        assert_eq!(job(store.of(both[0].owner), both, false).await.unwrap(), [true, false]);
        assert!(store.of(both[0].owner).assistants(both[1].owner).await.unwrap().is_empty());
        assert_eq!(store.whole().assistants(both[1].owner).await.unwrap().len(), 1);
    }
    let dir = tempfile::tempdir().unwrap();
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_dialdeck"));
    doctor.args(["--database", &db.url, "doctor", "--json"]).current_dir(dir.path()).env_clear().env("HOME", dir.path()).stdin(Stdio::null());
    let said = doctor.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.contains("database_superuser"), "{said}");
}

/// Supabase's role for whoever has not signed in: on a server that has it, it is given nothing.
#[tokio::test]
async fn who_has_not_signed_in_sees_nothing() {
    let Some(db) = empty_database().await else { return };
    let mut line = db.connect().await;
    let anon = "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'anon') THEN CREATE ROLE anon NOLOGIN; END IF; END $$;
                ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon; ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO anon;
                ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO anon";
    sqlx::raw_sql(anon).execute(&mut line).await.unwrap();
    dialdeck::store::migrate_postgres(&db.url).await.unwrap();
    somebody(&Store::open(&db.url).await.unwrap(), "Ann").await;
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')")
            .fetch_all(&mut line)
            .await
            .unwrap();
    assert!(tables.len() > 30, "{tables:?}");
    let counters: Vec<String> = sqlx::query_scalar("SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'")
        .fetch_all(&mut line)
        .await
        .unwrap();
    assert!(counters.len() >= 3, "{counters:?}");
    sqlx::raw_sql("SET ROLE anon").execute(&mut line).await.unwrap();
    for counter in &counters {
        refused(&mut line, &format!("SELECT nextval('{counter}')")).await;
    }
    for table in &tables {
        for sql in [format!("SELECT count(*) FROM {table}"), format!("DELETE FROM {table}")] {
            refused(&mut line, &sql).await;
        }
    }
    refused(&mut line, "SELECT * FROM found_calls('''nan'':*', 0, 1000, 10)").await;
}

async fn refused(db: &mut PgConnection, sql: &str) {
    let e = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(db).await.map(|d| d.rows_affected()).expect_err(sql);
    let code = e.as_database_error().and_then(sqlx::error::DatabaseError::code).map(|c| c.to_string());
    assert!(matches!(code.as_deref(), Some("42501" | "55000")), "{sql}: {e}");
}

/// SQLite keeps the letter that PostgreSQL has not; there it is refused in words, whatever the statement, and costs
/// nobody else anything.
#[tokio::test]
async fn a_letter_that_cannot_be_kept_is_refused_in_words() {
    for (db, kept) in [(crate::conformance::Db::sqlite().await, true), (crate::conformance::Db::postgres().await, false)] {
        let Some(db) = db else { continue };
        let store = db.store();
        let put = |value: &'static str| store.write(Lane::Urgent, move |tx| Box::pin(async move { tx.put_setting(Setting::Probe, value).await }));
        let (odd, plain) = tokio::join!(put("a\0b"), put("ab"));
        plain.unwrap();
        if kept {
            odd.unwrap();
            continue;
        }
        let odd = odd.unwrap_err();
        assert!(matches!(odd, StoreError::Letter) && odd.to_string().contains("U+0000"), "{odd}");
        assert_eq!(store.setting(Setting::Probe).await.unwrap().as_deref(), Some("ab"));
    }
}

/// What is asked or written over all owners in the middle of a user's work, and why. Whatever else is asked there is
/// asked as that user.
const OVER_ALL: &[(&str, &str)] = &[
    ("arm_facts", "a number rings once and only so often, whoever calls it"),
    ("assigned_until", "a number is made ready by one at a time, whoever has it"),
    ("audit_height", "how long the audit is"),
    ("bytes", "how large the database is"),
    ("claim_rows", "as arm_facts"),
    ("clear_notes", "settings are written by the program alone"),
    ("end_assigning", "as assigned_until"),
    ("engine", "who dials"),
    ("first_dial", "since when the installation calls"),
    ("height", "how long inbox and audit are"),
    ("is_being_rung", "one phone is not rung twice"),
    ("keep_assigning", "as assigned_until"),
    ("last_hook", "whether the network tells us anything"),
    ("last_written", "when the database was written last"),
    ("lease", "who dials"),
    ("number_is_anothers", "whether somebody else has a number; not who"),
    ("number_owner", "as number_is_anothers"),
    ("owners", "how many there are"),
    ("phone_facts", "whether a phone is on the line already"),
    ("put_setting", "as clear_notes"),
    ("schema_version", "the schema"),
    ("setting", "what is one fact for all"),
    ("settings", "the same, several at once"),
    ("setting_or", "as clear_notes"),
    ("take_assigning", "as assigned_until"),
    ("trunk_owner", "as number_is_anothers"),
    ("version", "the server"),
];

/// Where work over all owners begins that a person asked for.
const BY_PEOPLE: &[(&str, &str)] = &[
    ("api/metrics.rs", "a monitoring system on this machine, or an admin"),
    ("cli/doctor.rs", "looks at the whole installation"),
    ("cli/safekeeping.rs", "a backup is of everything"),
    ("cli/status.rs", "lines are the installation's"),
    ("cli/trunks.rs", "a trunk that somebody else has must be known as theirs"),
    ("cli/verbs.rs", "stop-all stops all; the secret that signs tokens"),
    ("desk/dnc.rs", "owners that share one do-not-call list are silent for each other"),
];

#[test]
fn what_works_over_all_owners_is_named_with_its_reason() {
    let files = |folder: &str| -> Vec<(String, String)> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut left = vec![root.join(folder)];
        let mut all = Vec::new();
        while let Some(path) = left.pop() {
            if path.is_dir() {
                left.extend(std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()));
            } else {
                let name = path.strip_prefix(&root).unwrap().display().to_string();
                all.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
        all
    };
    let mut over_all = std::collections::BTreeSet::new();
    for (_, text) in files("store") {
        let mut name = "";
        for line in text.lines() {
            let starts = line.strip_prefix("    pub async fn ").or(line.strip_prefix("    pub fn "));
            name = starts.and_then(|l| l.split(['(', '<']).next()).unwrap_or(name);
            if line.contains("on_whole!(") || line.contains("self.every()") {
                over_all.insert(name.to_owned());
            }
        }
    }
    assert_eq!(over_all, OVER_ALL.iter().map(|(name, _)| (*name).to_owned()).collect());
    let people: std::collections::BTreeSet<String> = ["api", "cli", "console", "desk", "provision"]
        .iter()
        .flat_map(|folder| files(folder))
        .filter(|(name, text)| !["desk/mod.rs", "api/mod.rs"].contains(&name.as_str()) && (text.contains(".whole()") || text.contains(".house()")))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(people, BY_PEOPLE.iter().map(|(name, _)| (*name).to_owned()).collect());
}
