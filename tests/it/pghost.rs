//! Hosts that share a PostgreSQL server: who leads after a standstill, whose clock is wrong, a database that went back in
//! time, one that is far, silent or gone, and what poolers do.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use dialdeck::{
    app::{App, StartOptions},
    clock::{Clock, SharedClock, SystemClock},
    config::{self, Config, Sources},
    desk::Desk,
    domain::{call::State, campaign::Status},
    store::{CallFilter, Lane, Setting, Store, StoreError},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    crash::Rig,
    support::{
        base::Base,
        postgres::{Database, database, programs},
        proxy::Proxy,
        quick_rules,
    },
};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(2);

/// Waits until something is so.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so().await {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub async fn rig(url: &str, contacts: usize, ring: u64, talk: u64) -> Rig {
    Rig::over(Base::at(tempfile::tempdir().unwrap(), url.to_owned()), contacts, ring, talk).await
}

/// A process of a host of its own: its own home, its own port, and what it says in a file. It goes with this.
pub struct Host {
    process: Child,
    home: tempfile::TempDir,
    database: String,
    listen: String,
}

impl Host {
    /// One that LiveKit's webhooks reach.
    pub fn start(rig: &Rig, database: &str) -> Self {
        Self::at(rig, database, &rig.address)
    }

    fn at(rig: &Rig, database: &str, listen: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let process = Self::spawn(rig, database, home.path(), listen);
        Self { process, home, database: database.to_owned(), listen: listen.to_owned() }
    }

    fn spawn(rig: &Rig, database: &str, home: &Path, listen: &str) -> Child {
        let like = rig.command(None);
        let mut command = Command::new(like.get_program());
        command.args(["serve", "--listen", listen]).env_clear().envs(like.get_envs().filter_map(|(k, v)| Some((k, v?))));
        let said = std::fs::File::options().create(true).append(true).open(home.join("said")).unwrap();
        command.env("HOME", home).env("DATABASE_URL", database).stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn().unwrap()
    }

    fn again(&mut self, rig: &Rig) {
        self.end();
        self.process = Self::spawn(rig, &self.database, self.home.path(), &self.listen);
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.home.path().join("said")).unwrap()
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap().success());
    }

    fn end(&mut self) {
        drop(self.process.kill());
        self.process.wait().unwrap();
    }

    pub fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dialdeck"));
        command.args(args).env_clear().env("HOME", self.home.path()).env("DATABASE_URL", &self.database).stdin(Stdio::null()).output().unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.end();
    }
}

fn words(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

/// P1, P13: the leader is stopped past its lease; another host takes over. Woken, it follows by itself, and takes over in
/// its turn when that one dies: no restart, nobody rung twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_p13_a_leader_that_stood_still_follows_by_itself_and_leads_again() {
    let Some(db) = database().await else { return };
    let rig = rig(&db.url, 300, 300, 900).await;
    let first = Host::start(&rig, &db.url);
    until("the first dials", async || rig.rings().1 >= 5).await;
    let mut second = Host::at(&rig, &db.url, "127.0.0.1:0");
    until("the second follows", async || second.said().contains("dials with this database")).await;
    first.signal("-STOP");
    until("the second takes over", async || second.said().contains("this one has taken over")).await;
    let then = rig.rings().1;
    until("the second dials", async || rig.rings().1 > then + 5).await;
    first.signal("-CONT");
    until("the first finds out", async || first.said().contains("it follows that one from now on")).await;
    assert!(!first.said().contains("this one has taken over"), "{}", first.said());
    second.end();
    until("the first leads again", async || first.said().contains("this one has taken over")).await;
    rig.until_done().await;
    drop(first);
    rig.assert_nothing_is_wrong("stood still").await;
}

/// The host's clock, set wrong by so many seconds.
#[derive(Default)]
struct WrongClock(AtomicI64);

impl Clock for WrongClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock::new().now() + TimeDelta::seconds(self.0.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, at: DateTime<Utc>) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep((at - self.now()).to_std().unwrap_or_default() + Duration::from_millis(1)))
    }

    fn is_of_the_world(&self) -> bool {
        true
    }
}

/// The configuration of a rig's program, for one of this process.
fn configured(rig: &Rig, database: &str) -> Config {
    let command = rig.command(None);
    let text = |s: &std::ffi::OsStr| s.to_string_lossy().into_owned();
    let mut environment: std::collections::BTreeMap<_, _> = command.get_envs().filter_map(|(k, v)| Some((text(k), text(v?)))).collect();
    environment.insert("DATABASE_URL".to_owned(), database.to_owned());
    environment.insert("DIALDECK_LISTEN__ADDR".to_owned(), "127.0.0.1:0".to_owned());
    config::validate(&config::extract(&Sources { environment, ..Sources::default() }).unwrap()).unwrap()
}

/// P4, P14: which hours are legal hangs on the clock, so one that differs from the database's holds dialling, in words on
/// every screen, at the start and later, and goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_p14_a_clock_that_differs_from_the_databases_dials_nobody_until_it_is_right() {
    let Some(db) = database().await else { return };
    let rig = rig(&db.url, 300, 100, 300).await;
    let clock = Arc::new(WrongClock::default());
    let desk = Desk::new(rig.store.clone(), clock.clone(), quick_rules());
    for (off, doubted) in [(-90, true), (0, false), (50, false), (90, true)] {
        clock.0.store(off, Ordering::SeqCst);
        assert_eq!(desk.unfit_to_dial().await.unwrap().is_some(), doubted, "{off} s");
    }
    let said = async || rig.store.setting(Setting::EngineHealth).await.unwrap().unwrap_or_default();
    let app = App::start(&configured(&rig, &db.url), StartOptions::default(), clock.clone() as SharedClock).await.unwrap();
    until("it is said everywhere", async || said().await.contains("this host's clock says")).await;
    assert!(app.following.borrow().as_deref().is_some_and(|w| w.contains("this host's clock says")), "and in its own header");
    assert_eq!(rig.rings().1, 0);
    assert_eq!(rig.store.lease().await.unwrap().filter(|l| l.left > 0.0), None, "another host may dial meanwhile");
    clock.0.store(0, Ordering::SeqCst);
    until("it goes on by itself", async || rig.rings().1 >= 5).await;
    assert!(app.following.borrow().is_none() && said().await.is_empty(), "{}", said().await);
    clock.0.store(75, Ordering::SeqCst);
    until("it is seen while it dials", async || said().await.contains("this host's clock says")).await;
    // What was armed before is on its way; then nothing.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let then = rig.simulator.invites().len();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(rig.simulator.invites().len(), then, "dialled by a clock that is wrong");
    app.stop_now();
    app.shut_down(Duration::from_millis(100)).await;
}

/// Puts a copy in a database's place under whoever is connected, as a restored backup or a copy that was behind would be.
async fn put_back(db: &Database, copy: &str) {
    let (server, _) = db.url.rsplit_once('/').unwrap();
    let mut admin = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    let name = &db.name;
    for sql in
        [format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"), format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")]
    {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
    }
    // Who was ended goes, in its time.
    let swap = format!("DROP DATABASE {name} WITH (FORCE)");
    sqlx::raw_sql(AssertSqlSafe(swap)).execute(&mut admin).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("ALTER DATABASE {copy} RENAME TO {name}"))).execute(&mut admin).await.unwrap();
}

async fn copy_of(db: &Database, copy: &str) {
    let (server, _) = db.url.rsplit_once('/').unwrap();
    let mut admin = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    // A pool closes its connections in its own time.
    for _ in 0..250 {
        if sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {copy} TEMPLATE {}", db.name))).execute(&mut admin).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} cannot be copied: somebody is connected", db.name);
}

/// P13: a database that went back in time under a running program, and one that did while nobody ran. Dialling is held on
/// all hosts until an operator says go; whoever was called after the backup is not called again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_a_database_that_went_back_in_time_dials_nobody_without_an_operators_word() {
    let Some(db) = database().await else { return };
    let Rig { base, address, simulator, config, store, actor, campaign } = rig(&db.url, 60, 100, 200).await;
    drop(store);
    for n in ["a", "b"] {
        copy_of(&db, &format!("{}_{n}", db.name)).await;
    }
    let store = Store::open(base.url()).await.unwrap();
    let mut rig = Rig { base, address, simulator, config, store, actor, campaign };
    let mut host = Host::start(&rig, &db.url);
    until("it dials", async || rig.rings().1 >= 15).await;

    put_back(&db, &format!("{}_a", db.name)).await;
    rig.store = Store::open(&db.url).await.unwrap();
    until("dialling is held", async || rig.store.kill_switch().await.unwrap()).await;
    let why = words(&host.run(&["campaign", "why", "Crash"]));
    assert!(why.contains("may have gone back in time") && why.contains("stop-all --release"), "{why}");
    let (rung, calls) = (rig.simulator.invites().len(), rig.rings().1);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(rig.simulator.invites().len(), rung, "nobody was dialled");
    // The hold is one, whoever notices later.
    let mut second = Host::at(&rig, &db.url, "127.0.0.1:0");
    let go = host.run(&["stop-all", "--release"]);
    assert!(go.status.success(), "{}", words(&go));
    until("it goes on", async || rig.rings().1 > calls + 5).await;
    assert!(rig.rings().0.is_empty(), "rung twice: {:?}", rig.rings().0);
    let left = rig.store.calls(rig.campaign, &CallFilter::default(), 1000, 0).await.unwrap().rows;
    let told = left.iter().filter(|c| c.state == State::Canceled && c.reason.contains("called after the backup")).count();
    // Of others the network has told meanwhile that they rang.
    assert!(told > 0, "those that the database had forgotten are off the queue");

    // And while nobody runs: the mark outside tells. Long enough for it to be written.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    second.end();
    host.end();
    put_back(&db, &format!("{}_b", db.name)).await;
    rig.store = Store::open(&db.url).await.unwrap();
    assert!(!rig.store.kill_switch().await.unwrap());
    let rung = rig.simulator.invites().len();
    host.again(&rig);
    until("dialling is held from the start", async || rig.store.kill_switch().await.unwrap()).await;
    assert_eq!(rig.simulator.invites().len(), rung, "nobody was dialled");
    let audit: Vec<String> =
        sqlx::query_scalar("SELECT action FROM audit WHERE action LIKE 'kill_switch%' ORDER BY id").fetch_all(&mut db.connect().await).await.unwrap();
    assert_eq!(audit, ["kill_switch_on"], "in this past of it once");
    assert!(host.run(&["stop-all", "--release"]).status.success());
    let mut count = async || {
        let row = rig.store.campaign(rig.actor.owner, rig.campaign).await.unwrap().unwrap();
        row.execution_status == Status::Completed
    };
    until("the rest is called", &mut count).await;
    assert!(rig.rings().0.is_empty(), "rung twice: {:?}", rig.rings().0);
}

/// A backup that is put back into the tables of a server that goes on running, under a connection that stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_are_put_back_under_a_connection_are_noticed_with_the_next_turn() {
    let Some(db) = database().await else { return };
    let store = Store::open(&db.url).await.unwrap();
    let seen = async || store.write(Lane::Urgent, |tx| Box::pin(async move { Ok::<_, StoreError>(tx.went_back()) })).await.unwrap();
    let mut put_back = db.connect().await;
    assert!(!seen().await && !seen().await);
    sqlx::raw_sql("UPDATE writers SET batch = batch - 1").execute(&mut put_back).await.unwrap();
    assert!(seen().await, "in the transaction that would have armed");
    let which = store.went_back().unwrap();
    assert!(seen().await, "until it is told");
    store.break_is_told(which);
    assert!(!seen().await);
    sqlx::raw_sql("DELETE FROM writers").execute(&mut put_back).await.unwrap();
    assert!(seen().await, "its mark is gone altogether");
}

/// All hosts write in turns: beyond a distance one of several dials no more, and it is one's own to allow it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_far_is_dialled_with_by_one_alone_or_where_it_is_allowed() {
    let Some(db) = database().await else { return };
    let way = Proxy::new(&db).await;
    way.far(Duration::from_millis(4));
    let store = Store::open(&way.url).await.unwrap();
    assert!(store.round_trip().is_some_and(|far| far >= Duration::from_millis(4)), "{:?}", store.round_trip());
    let desk = Desk::new(store.clone(), Arc::new(SystemClock::new()), quick_rules());
    assert_eq!(desk.unfit_to_dial().await.unwrap(), None, "nobody else writes");
    let other = Store::open(&db.url).await.unwrap();
    let words = desk.unfit_to_dial().await.unwrap().unwrap();
    assert!(words.contains("ms away") && words.contains("max_round_trip_ms"), "{words}");
    let near = Desk::new(other.clone(), Arc::new(SystemClock::new()), quick_rules()).reaching(Duration::from_millis(500));
    assert_eq!(near.unfit_to_dial().await.unwrap(), None, "the other one is near");
    let allowed = desk.clone().reaching(Duration::from_millis(500));
    assert_eq!(allowed.unfit_to_dial().await.unwrap(), None);

    let dir = tempfile::tempdir().unwrap();
    let doctor = |more: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dialdeck"));
        command.arg("doctor").env_clear().env("HOME", dir.path()).env("DATABASE_URL", &way.url).env("DIALDECK_DATABASE__MAX_ROUND_TRIP_MS", more);
        words_of(&command.stdin(Stdio::null()).output().unwrap())
    };
    let said = doctor("2");
    assert!(said.contains("ms away, there and back") && said.contains("beyond 2 ms this host dials nothing"), "{said}");
    let said = doctor("900");
    assert!(said.contains("ms away, there and back") && !said.contains("dials nothing while"), "{said}");

    // It is looked at again and again: near once is near.
    way.near();
    until("it is near", async || desk.unfit_to_dial().await.unwrap().is_none()).await;
}

pub fn words_of(out: &Output) -> String {
    words(out).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// P14: a database that says nothing, or is gone, dials nobody; when it answers again everything goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_a_database_that_is_silent_or_gone_dials_nobody_and_goes_on_by_itself() {
    let Some(db) = database().await else { return };
    let way = Proxy::new(&db).await;
    let rig = rig(&db.url, 150, 200, 600).await;
    let host = Host::start(&rig, &way.url);
    until("it dials", async || rig.rings().1 >= 5).await;
    for cut in [Proxy::silent, Proxy::gone] {
        cut(&way);
        tokio::time::sleep(Duration::from_millis(500)).await;
        let then = rig.simulator.invites().len();
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(rig.simulator.invites().len(), then, "dialled without a committed row");
        way.near();
        until("it goes on", async || rig.simulator.invites().len() > then + 3).await;
    }
    rig.until_done().await;
    drop(host);
    rig.assert_nothing_is_wrong("silent, then gone").await;
}

/// Who looks is told within seconds, with how long it has been so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_database_is_told_with_its_age_and_forgotten_when_it_answers() {
    let Some(db) = database().await else { return };
    let way = Proxy::new(&db).await;
    let store = Store::open(&way.url).await.unwrap();
    let put = async |value: &'static str| store.write(Lane::Urgent, move |tx| Box::pin(async move { tx.put_setting(Setting::Probe, value).await })).await;
    put("before").await.unwrap();
    way.silent();
    let (late, ()) = tokio::join!(put("lost"), until("it is told", async || store.trouble().is_some_and(|t| t.contains("has not answered for"))));
    assert!(matches!(late, Err(StoreError::Away(_) | StoreError::Busy(_))), "{late:?}");
    way.near();
    put("after").await.unwrap();
    assert_eq!((store.trouble(), store.setting(Setting::Probe).await.unwrap().as_deref()), (None, Some("after")));
}

/// A pooler before the test server, where its program is installed.
struct Pooler {
    process: Child,
    url: String,
    _dir: tempfile::TempDir,
}

impl Pooler {
    async fn start(db: &Database, mode: &str, lets_through: &str) -> Option<Self> {
        let program = PathBuf::from("/usr/sbin/pgbouncer");
        if !program.exists() {
            assert!(std::env::var("DIALDECK_REQUIRE_POSTGRES").as_deref() != Ok("1"), "pgbouncer is missing, and DIALDECK_REQUIRE_POSTGRES=1");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = db.url.rsplit_once('@').unwrap().1.rsplit_once('/').unwrap().0.rsplit_once(':').unwrap().1.to_owned();
        let ini = dir.path().join("pgbouncer.ini");
        std::fs::write(dir.path().join("users"), "\"postgres\" \"\"\n").unwrap();
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={server} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n\
             unix_socket_dir =\npool_mode = {mode}\ndefault_pool_size = 20\nignore_startup_parameters = {lets_through}\n"
        );
        std::fs::write(&ini, text).unwrap();
        // It does not run as root.
        let mut command = Command::new("setpriv");
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--"];
        assert!(Command::new("chmod").args(["-R", "a+rX"]).arg(dir.path()).status().unwrap().success());
        let root = rustix::process::geteuid().is_root();
        let mut command = if root {
            command.args(nobody).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        let process = command.arg(&ini).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let pooler = Self { process, url: format!("postgres://postgres@127.0.0.1:{port}/{}?sslmode=disable", db.name), _dir: dir };
        until("the pooler listens", async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await;
        Some(pooler)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Session mode works, whatever the pooler lets through at the start; transaction mode is refused in words.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poolers_session_mode_works_and_its_transaction_mode_is_refused() {
    let Some(db) = database().await else { return };
    let Some(session) = Pooler::start(&db, "session", "extra_float_digits, options").await else { return };
    let store = Store::open(&session.url).await.unwrap();
    let shown = store.write(Lane::Urgent, |tx| Box::pin(async move { tx.put_setting(Setting::Probe, "pooled").await })).await;
    shown.unwrap();
    assert_eq!(store.setting(Setting::Probe).await.unwrap().as_deref(), Some("pooled"));
    let held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dialdeck writer'";
    // The pooler lets go of what a slow start began, a moment later.
    let one = async || sqlx::query_scalar::<_, i64>(held).fetch_one(&mut db.connect().await).await.unwrap() == 1;
    until("one connection writes", one).await;
    drop(store);
    let strict = Pooler::start(&db, "session", "extra_float_digits").await.unwrap();
    Store::open(&strict.url).await.expect("what it refuses at the start is set in the session");
    let closed = Pooler::start(&db, "session", "search_path").await.unwrap();
    let Err(e) = Store::open(&closed.url).await else { panic!("it was opened") };
    assert!(e.to_string().contains("ignore_startup_parameters"), "{e}");
    let transaction = Pooler::start(&db, "transaction", "extra_float_digits, options").await.unwrap();
    let Err(e) = Store::open(&transaction.url).await else { panic!("it was opened") };
    assert!(e.to_string().contains("transaction mode") && e.to_string().contains("session mode"), "{e}");
}

/// What is one for all hosts and what is this host's stands apart; what a server is saved by is said.
#[tokio::test]
async fn settings_of_a_host_and_of_all_hosts_are_told_apart() {
    let Some(db) = database().await else { return };
    assert!(programs().is_some());
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str], url: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dialdeck"));
        let command = command.args(args).env_clear().env("HOME", dir.path()).current_dir(dir.path()).env("DATABASE_URL", url).stdin(Stdio::null());
        words_of(&command.output().unwrap())
    };
    let said = run(&["config", "show"], &db.url);
    assert!(said.contains("compliance.profile default while this host dials default"), "{said}");
    assert!(said.contains("console.theme dark this host default") && said.contains("Of all hosts, in the database:"), "{said}");
    assert!(said.contains("kill switch off") && said.contains("dials -"), "{said}");
    let json: serde_json::Value = serde_json::from_str(&run(&["--json", "config", "show"], &db.url)).unwrap();
    assert_eq!((&json["allHosts"]["kill switch"], &json["config"]["engine.agent_wait"]["scope"]), (&"off".into(), &"while this host dials".into()));
    let away = run(&["config", "show"], "postgres://ann:hunter2@127.0.0.1:1/x");
    assert!(away.contains("it cannot be asked") && !away.contains("hunter2"), "{away}");
    let file = run(&["config", "show"], "sqlite:t.db");
    assert!(!file.contains("all hosts") && !file.contains("this host"), "a file is one host's: {file}");

    assert!(run(&["backup", "b.db"], &db.url).contains("pg_dump --format=custom"));
    std::fs::write(dir.path().join("b.db"), "SQLite format 3\0").unwrap();
    assert!(run(&["restore", "b.db"], &db.url).contains("pg_restore"));
}

/// One process has so many connections at most, and doctor sees when the server has no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_has_no_more_connections_than_it_is_allowed() {
    let Some(db) = database().await else { return };
    let store = Store::open_sized(&db.url, false, 4).await.unwrap();
    let questions = (0..40).map(|_| store.setting(Setting::Probe));
    for answer in futures_util::future::join_all(questions).await {
        answer.unwrap();
    }
    let seen = store.connections().await.unwrap().unwrap();
    assert!((2..=4).contains(&seen.ours), "{seen:?}");
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialdeck"));
    let doctor = command.arg("doctor").env_clear().env("HOME", dir.path()).env("DATABASE_URL", &db.url).env("DIALDECK_DATABASE__CONNECTIONS", "1000");
    let said = words_of(&doctor.stdin(Stdio::null()).output().unwrap());
    assert!(said.contains("connections in use") && said.contains("max_connections"), "{said}");
}
