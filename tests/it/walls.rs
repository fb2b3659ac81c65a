//! The walls of the house: a job that breaks down fails alone, what the database undid by itself is
//! told so, and no part of the program ends in silence.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use dialdeck::{
    clock::{SharedClock, SystemClock},
    console,
    desk::{Actor, Desk, DeskError},
    domain::{campaign::Status, id::CampaignId},
    failpoint,
    store::{Lane, Setting, Store, StoreError},
    telemetry::Ring,
};

use crate::{
    crash::{Rig, number_from},
    support::{http, quick_rules},
};

/// A row of settings that nothing else looks at, by a name.
fn note(name: &str) -> Setting {
    Setting::CampaignNote(CampaignId(uuid::Uuid::from_u128(name.bytes().fold(0, |n, b| n * 256 + u128::from(b)))))
}

async fn fresh() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}", dir.path().join("t.db").display())).await.unwrap();
    (dir, store)
}

async fn put(store: &Store, key: &'static str, value: String) -> Result<(), StoreError> {
    store.write(Lane::Urgent, move |tx| Box::pin(async move { tx.put_setting(note(key), &value).await })).await
}

async fn kept(store: &Store, key: &str) -> bool {
    store.setting(note(key)).await.unwrap().is_some()
}

/// Holds the writer, so that what is asked meanwhile becomes one batch.
async fn held(store: &Store) -> Result<(), StoreError> {
    store
        .write(Lane::Urgent, |_| {
            Box::pin(async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                Ok(())
            })
        })
        .await
}

async fn breaks_down(store: &Store, key: &'static str) -> Result<(), StoreError> {
    store
        .write(Lane::Urgent, move |tx| {
            Box::pin(async move {
                tx.put_setting(note(key), "of a broken job").await?;
                panic!("a job breaks down in a test");
            })
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_panics_fails_alone() {
    let (_dir, store) = fresh().await;
    // In a batch with others, and as a batch of its own.
    let (_, before, broken, after) =
        tokio::join!(held(&store), put(&store, "before", "1".into()), breaks_down(&store, "broken"), put(&store, "after", "1".into()));
    assert!(before.is_ok() && after.is_ok(), "{before:?} {after:?}");
    assert!(broken.unwrap_err().to_string().contains("broke down"));
    let alone = breaks_down(&store, "alone").await;
    assert!(alone.unwrap_err().to_string().contains("broke down"));
    put(&store, "later", "1".into()).await.unwrap();
    for (key, there) in [("before", true), ("after", true), ("later", true), ("broken", false), ("alone", false)] {
        assert_eq!(kept(&store, key).await, there, "{key}");
    }
}

/// Runs one of these tests by itself in a process that is told so: limits are a process's.
fn in_a_process_of_its_own(test: &str) -> bool {
    if std::env::var_os("DIALDECK_TEST_CHILD").is_some() {
        return true;
    }
    let me = std::env::current_exe().unwrap();
    // A write beyond the limit is then an error, not the end of the process.
    let command = "trap '' XFSZ; exec \"$0\" --exact \"$1\" --nocapture";
    let out = Command::new("sh").args(["-c", command]).arg(me).arg(format!("walls::{test}")).env("DIALDECK_TEST_CHILD", "1").output().unwrap();
    assert!(out.status.success(), "{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    false
}

/// On some errors SQLite ends the whole transaction by itself. Whoever comes after in the same batch must
/// neither be kept while it is told that it failed, nor the other way round.
#[test]
fn a_batch_that_sqlite_undid_is_undone_for_everybody() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    if !in_a_process_of_its_own("a_batch_that_sqlite_undid_is_undone_for_everybody") {
        return;
    }
    let limit = |bytes| setrlimit(Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(async {
        let (_dir, store) = fresh().await;
        limit(Some(8 << 20));
        // Beyond the page cache it must write before the commit, and cannot.
        let too_much = async |store: &Store| {
            store
                .write(Lane::Urgent, |tx| {
                    Box::pin(async move {
                        for key in ["big0", "big1", "big2", "big3", "big4", "big5", "big6", "big7"] {
                            tx.put_setting(note(key), &"x".repeat(6 << 20)).await?;
                        }
                        Ok::<_, StoreError>(())
                    })
                })
                .await
        };
        let (_, before, full, after) = tokio::join!(held(&store), put(&store, "before", "1".into()), too_much(&store), put(&store, "after", "1".into()));
        limit(None);
        assert!(full.is_err());
        for (key, told) in [("before", before), ("after", after)] {
            assert_eq!(told.is_ok(), kept(&store, key).await, "{key}: was told {told:?}");
            assert!(matches!(told, Ok(()) | Err(StoreError::Busy(_))), "{key}: {told:?}");
        }
        put(&store, "later", "1".into()).await.unwrap();
        assert!(kept(&store, "later").await && store.trouble().is_none(), "it goes on");
    });
}

fn dialdeck(dir: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialdeck"));
    command.env_clear().env("HOME", dir).env("DATABASE_URL", format!("sqlite:{}", dir.join("t.db").display())).stdin(Stdio::null());
    command
}

/// `serve` and a console started together on a new machine meet at the schema.
#[test]
fn four_first_starts_at_once_all_live() {
    for round in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        let start = || dialdeck(dir.path()).args(["campaign", "list"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let children = [start(), start(), start(), start()];
        for child in children {
            let out = child.wait_with_output().unwrap();
            assert!(out.status.success(), "round {round}: {}", String::from_utf8_lossy(&out.stderr));
        }
    }
}

/// An id that cannot be read is not taken for id 0: rooms of ours would be nobody's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_installation_is_refused_in_words() {
    for (setting, key) in [(Setting::InstallationId, "installation_id"), (Setting::Owner, "owner")] {
        let (_dir, store) = fresh().await;
        let desk = Desk::new(store.clone(), std::sync::Arc::new(SystemClock::new()), quick_rules());
        desk.installation(None).await.unwrap();
        let damage = store.write(Lane::Urgent, move |tx| Box::pin(async move { tx.put_setting(setting, "4711 not so").await }));
        damage.await.unwrap();
        let refused = desk.installation(None).await.map_err(|e: DeskError| e.to_string());
        assert!(refused.as_ref().is_err_and(|e| e.contains(key)), "{key}: {refused:?}");
    }
}

/// What holds numbers, or may be held to keep a start out, is its owner's alone, whatever the umask.
#[test]
fn files_beside_the_database_are_the_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("c.csv"), "phone\n12\n").unwrap();
    let run = |args: &[&str]| {
        let mut command = Command::new("sh");
        command.args(["-c", "umask 022; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_dialdeck")]).args(args);
        let prepared = dialdeck(dir.path());
        command.env_clear().envs(prepared.get_envs().filter_map(|(k, v)| Some((k, v?)))).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let rejects = dir.path().join("rejects.csv");
    assert!(run(&["import", dir.path().join("c.csv").to_str().unwrap(), "--region", "US", "--rejects", rejects.to_str().unwrap()]).wait().unwrap().success());
    // One from an earlier release.
    let lock = dir.path().join("t.db.lock");
    std::fs::write(&lock, "").unwrap();
    std::fs::set_permissions(&lock, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut serve = run(&["serve", "--listen", "127.0.0.1:0"]);
    let log = dir.path().join(".local/state/dialdeck/dialdeck.log");
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while std::fs::read_to_string(&lock).unwrap_or_default().is_empty() {
        assert!(std::time::Instant::now() < end, "it does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    serve.kill().unwrap();
    serve.wait().unwrap();
    let mode = |path: &std::path::Path| format!("{:o}", std::fs::metadata(path).unwrap().permissions().mode() & 0o777);
    for (path, want) in [(rejects, "600"), (lock, "600"), (log.clone(), "600"), (log.parent().unwrap().to_owned(), "700")] {
        assert_eq!(mode(&path), want, "{}", path.display());
    }
}

const MOVED: &str = "no longer the one this process has open";

/// Takes a database's three files away, or puts them back.
fn rename(from: &Path, to: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let name = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        drop(std::fs::rename(name(from), name(to)));
    }
}

fn stop_all(rig: &Rig) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dialdeck"))
        .arg("stop-all")
        .env_clear()
        .env("HOME", rig.base.dir.path())
        .env("DATABASE_URL", rig.base.url())
        .output()
        .unwrap()
}

async fn readyz(rig: &Rig) -> (u16, String) {
    http::request(&format!("http://{}", rig.address), "GET", "/readyz", "", "").await
}

pub async fn until(what: &str, limit: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + limit;
    while !holds().await {
        assert!(Instant::now() < end, "still waiting for: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn log_of(rig: &Rig) -> String {
    std::fs::read_to_string(rig.base.dir.path().join(".local/state/dialdeck/dialdeck.log")).unwrap_or_default()
}

/// The engine's file is taken away from under it, and in one case another put in its place: it dials
/// nobody more and says so, and who stops everything is told the truth. When its file is back it goes on.
async fn taken_away(replaced: bool) {
    let rig = Rig::new(200, 300, 600).await;
    let file = PathBuf::from(rig.base.url().trim_start_matches("sqlite:"));
    let (away, other) = (rig.base.dir.path().join("away.db"), rig.base.dir.path().join("other.db"));
    let mut child = rig.serve(None);
    until("the first calls", Duration::from_secs(20), async || rig.rings().1 >= 10).await;
    rename(&file, &away);
    if replaced {
        drop(Store::open(&format!("sqlite:{}", other.display())).await.unwrap());
        tokio::time::sleep(Duration::from_millis(100)).await;
        rename(&other, &file);
    }
    // What had been armed is on its way.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = rig.simulator.invites().len();
    let stopped = stop_all(&rig);
    let words = String::from_utf8_lossy(&stopped.stderr).into_owned();
    assert_eq!(stopped.status.code(), Some(1), "{stopped:?}");
    assert!(words.contains(&format!("kill {}", child.id())), "{words}");
    assert!(words.contains(if replaced { "another database file open" } else { "there is no database" }), "{words}");
    assert_eq!(file.exists(), replaced, "none is made");
    until("the log says so", Duration::from_secs(6), async || log_of(&rig).contains(MOVED)).await;
    let (status, body) = readyz(&rig).await;
    assert!(status == 503 && body.contains(MOVED), "{status} {body}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(rig.simulator.invites().len(), before, "dialled out of a file nobody else sees");
    assert!(child.try_wait().unwrap().is_none(), "it waits for its file");
    rename(&file, &other);
    rename(&away, &file);
    until("ready again", Duration::from_secs(10), async || readyz(&rig).await.0 == 200).await;
    until("the campaign's end", Duration::from_mins(2), async || rig.row().await.execution_status == Status::Completed).await;
    child.kill().unwrap();
    child.wait().unwrap();
    rig.assert_nothing_is_wrong("its file was away").await;
    assert_eq!(rig.rings().1, 200, "everybody was reached in the end");
    assert!(stop_all(&rig).status.success(), "and there it is heard");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_removed_holds_the_dialling_and_stop_all_says_so() {
    taken_away(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_replaced_holds_the_dialling_and_stop_all_says_so() {
    taken_away(true).await;
}

#[test]
fn stop_all_makes_no_database() {
    let dir = tempfile::tempdir().unwrap();
    let out = dialdeck(dir.path()).arg("stop-all").output().unwrap();
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    assert!(String::from_utf8_lossy(&out.stderr).contains("there is no database"), "{out:?}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "and nothing else");
}

/// Every console over the lost file says so, on each look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_screen_says_that_the_database_is_gone_and_back() {
    let (dir, store) = fresh().await;
    let clock: SharedClock = Arc::new(SystemClock::new());
    let desk = Desk::new(store.clone(), clock.clone(), quick_rules());
    let actor = Actor { owner: desk.installation(None).await.unwrap().owner, name: "tester".into(), source: "console" };
    let ring = Ring::new(clock.clone());
    let health = async || console::look(&desk, &actor, &ring, clock.now(), true).await.unwrap().health;
    assert_eq!(health().await, "");
    rename(store.path().as_ref(), &dir.path().join("away.db"));
    assert!(health().await.contains(MOVED));
    assert!(matches!(put(&store, "away", "1".into()).await, Err(StoreError::Moved(_))));
    rename(&dir.path().join("away.db"), store.path().as_ref());
    assert_eq!(health().await, "");
    put(&store, "back", "1".into()).await.unwrap();
    assert!(kept(&store, "back").await && !kept(&store, "away").await);
}

/// The program with a part that breaks down at a place, the n-th time it comes there.
pub struct Breaking {
    pub child: Child,
    stderr: PathBuf,
}

impl Breaking {
    pub fn start(rig: &Rig, point: &str, nth: u64) -> Self {
        let stderr = rig.base.dir.path().join("stderr");
        let child = rig.command(Some(format!("{point}:{nth}:panic"))).stderr(std::fs::File::create(&stderr).unwrap()).spawn().unwrap();
        Self { child, stderr }
    }

    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn words(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap()
    }
}

/// What became of a program whose part broke down.
#[derive(Debug, PartialEq, Eq)]
enum After {
    /// What broke down failed alone: the campaign went on to its end.
    WentOn,
    /// Dialling has stopped, and every console says so.
    Held,
    /// The process is gone, in words and with a failure's exit code.
    Ended,
}

async fn after_breaking(rig: &Rig, point: &str, nth: u64) -> After {
    let mut program = Breaking::start(rig, point, nth);
    let end = Instant::now() + Duration::from_secs(40);
    let reached = || log_of(rig).contains(&format!("asked to break down at {point}"));
    let after = loop {
        if let Some(status) = program.ended() {
            let words = program.words();
            assert!(status.code() == Some(1) && words.contains("has ended"), "{point}: {status:?} {words}");
            break After::Ended;
        }
        if rig.store.setting(Setting::EngineHealth).await.unwrap().is_some_and(|w| w.contains("broke down")) {
            break After::Held;
        }
        // A room may be cleared after the campaign's end.
        if rig.row().await.execution_status == Status::Completed && reached() {
            break After::WentOn;
        }
        assert!(Instant::now() < end, "{point}: never reached, or neither went on nor ended nor said anything:\n{}", program.words());
        tokio::time::sleep(Duration::from_millis(30)).await;
    };
    if after != After::Ended {
        program.kill();
    }
    assert!(reached(), "{point}: the log says so");
    after
}

/// Places inside a transaction's job, or inside the inbox, which goes on.
const IN_A_JOB: [&str; 6] = ["claim.leased", "claim.written", "arm.judged", "arm.taken", "arm.written", "record."];

/// A panic at every step of a call: what breaks down fails alone, or dialling stops in words, or the
/// process ends in words; and whoever comes after finds nothing wrong. `DIALDECK_PANICS_PER_POINT` (1), at
/// places that begin with `DIALDECK_POINT`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_p12_a_panic_at_every_step_rings_nobody_twice_and_is_never_silent() {
    let only = std::env::var("DIALDECK_POINT").ok();
    let points = failpoint::POINTS.into_iter().chain(failpoint::TASKS);
    for point in points.filter(|p| only.as_deref().is_none_or(|o| p.starts_with(o))) {
        // Polls come each second: what only a poll sees must last as long.
        let (ring, talk) = match point {
            "dial.ringing" => (1300, 100),
            "follow.looked" | "follow.answered" | "follow.cleared" => (60, 1300),
            _ => (40, 60),
        };
        for turn in 0..number_from("DIALDECK_PANICS_PER_POINT", 1) {
            let rig = Rig::new(16, ring, talk).await;
            let after = after_breaking(&rig, point, 2 + turn % 5).await;
            let in_a_job = IN_A_JOB.iter().any(|p| point.starts_with(p));
            assert!(after == After::WentOn || !in_a_job, "{point}: {after:?}, though a job fails alone");
            assert!(after == After::Ended || !failpoint::TASKS.contains(&point), "{point}: {after:?}");
            if after != After::WentOn {
                rig.run_to_the_end().await;
            }
            rig.assert_nothing_is_wrong(point).await;
        }
    }
}

/// Whoever follows takes over from a process whose writer broke down, as from one that was killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_takes_over_when_the_writer_breaks_down() {
    let rig = Rig::new(80, 300, 500).await;
    let mut first = Breaking::start(&rig, "writer.turn", 60);
    until("the first calls", Duration::from_secs(20), async || rig.rings().1 >= 3).await;
    let mut second = rig.serve(None);
    until("the writer's end", Duration::from_secs(30), async || first.ended().is_some()).await;
    assert!(first.ended().unwrap().code() == Some(1) && first.words().contains("has broken down"), "{}", first.words());
    until("the campaign's end", Duration::from_mins(2), async || rig.row().await.execution_status == Status::Completed).await;
    second.kill().unwrap();
    second.wait().unwrap();
    rig.assert_nothing_is_wrong("the writer broke down").await;
}

/// A host that can write nothing down is not ready, and says why; when it can, it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readyz_says_why_nothing_can_be_written() {
    use sqlx::Connection;
    let rig = Rig::new(60, 300, 600).await;
    let mut child = rig.serve(None);
    until("ready", Duration::from_secs(20), async || readyz(&rig).await.0 == 200).await;
    let mut db = sqlx::SqliteConnection::connect(rig.base.url().trim_start_matches("sqlite:")).await.unwrap();
    while sqlx::query("BEGIN IMMEDIATE").execute(&mut db).await.is_err() {}
    let mut told = String::new();
    until("not ready", Duration::from_secs(15), async || {
        let (status, body) = readyz(&rig).await;
        told = body;
        status == 503
    })
    .await;
    assert!(told.contains("nothing can be written") && told.contains("locked"), "{told}");
    sqlx::query("COMMIT").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    until("ready again", Duration::from_secs(15), async || readyz(&rig).await.0 == 200).await;
    child.kill().unwrap();
    child.wait().unwrap();
}
