//! PostgreSQL under the store: one writer in the world, connections that die, and what became of a COMMIT that had no
//! answer. What each statement does is the conformance suite's.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use dialdeck::{
    domain::id::Incarnation,
    store::{Lane, Setting, Store, StoreError},
};
use sqlx::Connection;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::support::postgres::{Database, database};

/// Longer than anything here waits.
const PATIENCE: Duration = Duration::from_mins(1);

async fn put(store: &Store, value: &'static str) -> Result<(), StoreError> {
    store.write(Lane::Urgent, move |tx| Box::pin(async move { tx.put_setting(Setting::Probe, value).await })).await
}

async fn probe(store: &Store) -> Option<String> {
    store.setting(Setting::Probe).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_take_turns_and_nothing_of_either_is_lost() {
    let Some(db) = database().await else { return };
    let hosts = [Store::open(&db.url).await.unwrap(), Store::open(&db.url).await.unwrap()];
    let add = |store: Store| {
        tokio::spawn(async move {
            for _ in 0..50 {
                let added = store.write(Lane::Urgent, |tx| {
                    Box::pin(async move {
                        let n: u32 = tx.setting(Setting::Probe).await?.and_then(|n| n.parse().ok()).unwrap_or(0);
                        tx.put_setting(Setting::Probe, &(n + 1).to_string()).await
                    })
                });
                added.await.unwrap();
            }
        })
    };
    let adders: Vec<_> = hosts.iter().chain(&hosts).map(|s| add(s.clone())).collect();
    for adder in adders {
        adder.await.unwrap();
    }
    assert_eq!(probe(&hosts[0]).await.as_deref(), Some("200"), "each read what the one before it wrote");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_rings_on_other_hosts_and_the_timer_sees_it_too() {
    let Some(db) = database().await else { return };
    let (here, there) = (Store::open(&db.url).await.unwrap(), Store::open(&db.url).await.unwrap());
    let mut bell = there.bell();
    let mut seen = 0;
    there.watch_others(&mut seen).await.unwrap();
    // Two commits rang: one ring may be that of the listener, which rings when it begins.
    let twice = async {
        let mut rung = 0;
        while rung < 2 {
            bell.borrow_and_update();
            put(&here, "rung").await.unwrap();
            let rang = tokio::time::timeout(Duration::from_millis(500), bell.changed()).await;
            rung = if rang.is_ok() { rung + 1 } else { 0 };
        }
    };
    tokio::time::timeout(PATIENCE, twice).await.expect("nothing rang");
    let before = seen;
    there.watch_others(&mut seen).await.unwrap();
    assert_ne!(before, seen, "the timer alone would have seen it");
    let own = seen;
    put(&there, "own").await.unwrap();
    there.watch_others(&mut seen).await.unwrap();
    assert_eq!(own, seen, "one's own commit is nobody else's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_is_undone_alone_and_one_that_hides_its_failure_is_told_so() {
    let Some(db) = database().await else { return };
    let store = Store::open(&db.url).await.unwrap();
    let fails = |value: &'static str| {
        store.write(Lane::Urgent, move |tx| {
            Box::pin(async move {
                tx.put_setting(Setting::Probe, value).await?;
                Err::<(), _>(StoreError::Broken)
            })
        })
    };
    let (bad, good) = tokio::join!(fails("bad"), put(&store, "good"));
    assert!(matches!(bad, Err(StoreError::Broken)) && good.is_ok());
    assert_eq!(probe(&store).await.as_deref(), Some("good"));
    let hides = store.write(Lane::Urgent, |tx| {
        Box::pin(async move {
            tx.put_setting(Setting::Probe, "hidden").await?;
            drop(tx.give_back_day(dialdeck::domain::id::CampaignId(uuid::Uuid::nil()), "a day with a \0 in it", 1).await);
            Ok::<(), StoreError>(())
        })
    });
    assert!(hides.await.is_err(), "a transaction in which a statement failed is not kept, whatever the job says");
    assert_eq!(probe(&store).await.as_deref(), Some("good"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_stands_still_loses_the_lock_and_what_it_wrote() {
    let Some(db) = database().await else { return };
    let store = Store::open(&db.url).await.unwrap();
    let mut still = db.connect().await;
    let hold = "SET idle_in_transaction_session_timeout = '3s'; BEGIN; SELECT pg_advisory_xact_lock(7235421394516140907);
                INSERT INTO settings (key, value) VALUES ('probe', 'still')";
    for part in hold.split(';') {
        sqlx::raw_sql(part).execute(&mut still).await.unwrap();
    }
    put(&store, "on").await.unwrap();
    assert_eq!(probe(&store).await.as_deref(), Some("on"));
    assert!(sqlx::raw_sql("COMMIT").execute(&mut still).await.is_err(), "it comes too late");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_server_ends_is_made_anew() {
    let Some(db) = database().await else { return };
    let store = Store::open(&db.url).await.unwrap();
    put(&store, "before").await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(end).execute(&mut db.connect().await).await.unwrap();
    // The first may find the dead one; it is told so, and the next goes on.
    let mut last = put(&store, "after").await;
    for _ in 0..5 {
        if last.is_ok() {
            break;
        }
        assert!(store.trouble().is_some(), "who looks is told");
        last = put(&store, "after").await;
    }
    last.unwrap();
    assert_eq!(store.trouble(), None);
    for _ in 0..20 {
        if store.setting(Setting::Probe).await.is_ok() {
            break;
        }
    }
    assert_eq!(probe(&store).await.as_deref(), Some("after"), "the readers are new as well");
}

#[tokio::test]
async fn errors_name_the_server_and_never_the_password() {
    let Some(db) = database().await else { return };
    let nowhere = "postgres://ann:hunter2@127.0.0.1:1/calls";
    let unknown = db.url.replace("postgres@", "nobody_here:hunter2@");
    let broken = "postgres://ann:hunter2@[::bad/calls";
    for url in [nowhere, &unknown, broken] {
        let Err(e) = Store::open(url).await else { panic!("{url} was opened") };
        let words = e.to_string();
        assert!(!words.contains("hunter2"), "{words}");
        assert!(words.contains("postgres://") || words.contains("127.0.0.1"), "{words}");
    }
}

#[tokio::test]
async fn a_login_that_may_not_act_as_the_engine_is_told_so() {
    let Some(db) = database().await else { return };
    let stranger = db.login("stranger", "").await;
    let Err(e) = Store::open(&stranger).await else { panic!("it would see an empty database") };
    assert!(e.to_string().contains("GRANT authenticated, dialdeck_engine TO"), "{e}");
    let half = db.login("half", "IN ROLE dialdeck_engine").await;
    let Err(e) = Store::open(&half).await else { panic!("it could not work for a user") };
    assert!(e.to_string().contains("GRANT authenticated TO"), "{e}");
    let ours = db.login("ours", "IN ROLE authenticated, dialdeck_engine").await;
    let store = Store::open(&ours).await.unwrap();
    put(&store, "ours").await.unwrap();
    assert_eq!(probe(&store).await.as_deref(), Some("ours"));
}

#[tokio::test]
async fn the_lease_is_one_engines_and_taken_when_it_has_run_out() {
    let Some(db) = database().await else { return };
    let store = Store::open(&db.url).await.unwrap();
    let (ours, theirs) = (Incarnation::fresh(), Incarnation::fresh());
    let take = |who: Incarnation, seconds: f64| store.write(Lane::Urgent, move |tx| Box::pin(async move { tx.take_lease(who, "host", seconds).await }));
    assert_eq!(store.lease().await.unwrap(), None);
    assert!(take(ours, 600.0).await.unwrap());
    assert!(!take(theirs, 600.0).await.unwrap(), "it stands");
    let lease = store.lease().await.unwrap().unwrap();
    assert!(lease.incarnation == ours && lease.left > 0.0 && lease.host == "host");
    assert!(take(ours, 0.0).await.unwrap(), "renewed, and over at once");
    assert!(take(theirs, 600.0).await.unwrap(), "it had run out");
    assert!(!take(ours, 600.0).await.unwrap());
    store.write(Lane::Urgent, move |tx| Box::pin(async move { tx.give_lease_back(theirs).await })).await.unwrap();
    assert!(take(ours, 600.0).await.unwrap(), "given back");
}

/// What stands between a program and its server.
#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
enum Way {
    Through,
    /// The session's own settings never arrive, as at a pooler in transaction mode.
    WithoutSettings,
    /// The next COMMIT arrives, and its answer does not.
    AnswerLost,
    /// The next COMMIT does not arrive.
    CommitLost,
}

/// A proxy before a server, and the URL of the database through it.
struct Between {
    url: String,
    way: Arc<AtomicU8>,
}

impl Between {
    async fn new(db: &Database, way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (before, name) = db.url.rsplit_once('/').unwrap();
        let (login, server) = before.rsplit_once('@').unwrap();
        let (url, server, way) = (format!("{login}@127.0.0.1:{port}/{name}?sslmode=disable"), server.to_owned(), Arc::new(AtomicU8::new(way as u8)));
        let seen = way.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server.clone(), seen.clone()));
            }
        });
        Self { url, way }
    }

    fn turn(&self, way: Way) {
        self.way.store(way as u8, Ordering::SeqCst);
    }
}

/// Carries both ways until one side ends, or the way does.
async fn carry(mut client: TcpStream, server: String, way: Arc<AtomicU8>) {
    let is = |which: Way| way.load(Ordering::SeqCst) == which as u8;
    let mut server = TcpStream::connect(server).await.unwrap();
    let mut first = vec![0; 4];
    if client.read_exact(&mut first).await.is_err() {
        return;
    }
    let length = usize::try_from(u32::from_be_bytes(first[..4].try_into().unwrap())).unwrap();
    first.resize(length, 0);
    client.read_exact(&mut first[4..]).await.unwrap();
    if is(Way::WithoutSettings) {
        first = unset(&first);
    }
    server.write_all(&first).await.unwrap();
    let (mut asked, mut answered) = (vec![0; 65536], vec![0; 65536]);
    let mut mute = false;
    loop {
        tokio::select! {
            n = client.read(&mut asked) => {
                let Ok(n @ 1..) = n else { return };
                let commits = asked[..n].windows(8).any(|w| w == b"; COMMIT");
                if commits && is(Way::CommitLost) {
                    way.store(Way::Through as u8, Ordering::SeqCst);
                    return;
                }
                if commits && is(Way::AnswerLost) {
                    way.store(Way::Through as u8, Ordering::SeqCst);
                    mute = true;
                }
                server.write_all(&asked[..n]).await.unwrap();
            }
            n = server.read(&mut answered) => {
                let Ok(n @ 1..) = n else { return };
                if mute {
                    return;
                }
                if client.write_all(&answered[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The first packet of a session without its `options`.
fn unset(packet: &[u8]) -> Vec<u8> {
    let texts: Vec<&[u8]> = packet[8..].split(|b| *b == 0).collect();
    let mut kept = packet[4..8].to_vec();
    for pair in texts.chunks(2).filter(|p| p.len() == 2 && !p[0].is_empty() && p[0] != b"options") {
        kept.extend([pair[0], b"\0", pair[1], b"\0"].concat());
    }
    kept.push(0);
    [u32::try_from(kept.len() + 4).unwrap().to_be_bytes().as_slice(), &kept].concat()
}

/// A pooler in session mode that keeps the first packet's settings back is no danger: the session is this process's alone. One
/// that shares sessions is refused (see `pghost`, where its program is installed).
#[tokio::test]
async fn settings_that_do_not_arrive_with_the_first_packet_are_set_in_the_session() {
    let Some(db) = database().await else { return };
    let between = Between::new(&db, Way::WithoutSettings).await;
    let store = Store::open(&between.url).await.unwrap();
    let (begun, mut holds) = tokio::sync::oneshot::channel();
    let held = store.write(Lane::Urgent, |tx| {
        Box::pin(async move {
            tx.put_setting(Setting::Probe, "still").await?;
            begun.send(()).unwrap();
            tokio::time::sleep(Duration::from_millis(3500)).await;
            tx.put_setting(Setting::Probe, "late").await
        })
    });
    assert!(held.await.is_err(), "idle for longer than it may be in a transaction: the server has ended it");
    assert!(holds.try_recv().is_ok());
    between.turn(Way::Through);
    put(&Store::open(&between.url).await.unwrap(), "direct").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_commit_without_an_answer_is_looked_up() {
    let Some(db) = database().await else { return };
    let between = Between::new(&db, Way::Through).await;
    let store = Store::open(&between.url).await.unwrap();
    put(&store, "first").await.unwrap();
    between.turn(Way::AnswerLost);
    put(&store, "kept").await.expect("it was kept, and that is found out");
    assert_eq!(probe(&store).await.as_deref(), Some("kept"));
    between.turn(Way::CommitLost);
    let lost = put(&store, "lost").await;
    assert!(matches!(lost, Err(StoreError::Away(_))), "it never arrived, and that is found out: {lost:?}");
    assert_eq!(probe(&store).await.as_deref(), Some("kept"));
    put(&store, "next").await.unwrap();
    let marks: i64 = sqlx::query_scalar("SELECT max(batch) FROM writers").fetch_one(&mut db.connect().await).await.unwrap();
    assert_eq!(marks, 4, "first, kept, lost and next had a number each");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_an_old_one_or_a_copy_takes_no_writes() {
    let Some(db) = database().await else { return };
    let store = Store::open(&db.url).await.unwrap();
    assert!(store.version().await.unwrap().starts_with(|c: char| c.is_ascii_digit()));
    assert!(store.round_trip().is_some_and(|far| far > Duration::ZERO) && store.is_shared() && store.file().is_none());
    assert!(store.path().starts_with("postgres://127.0.0.1:") && store.bytes().await.unwrap() > 0);
    let read_only = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$";
    let mut db_line = db.connect().await;
    sqlx::raw_sql(read_only).execute(&mut db_line).await.unwrap();
    db_line.close().await.unwrap();
    let e = match Store::open(&db.url).await {
        Ok(store) => put(&store, "never").await.unwrap_err(),
        Err(e) => e,
    };
    assert!(matches!(e, StoreError::Away(_) | StoreError::Open { .. }), "{e:?}");
}
