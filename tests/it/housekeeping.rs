//! Long work in slices, old rows, and the books: nothing of it may delay a call, lose a count or forget whom
//! a campaign has called.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use dialdeck::{
    clock::SharedClock,
    desk::{Desk, DeskError, Import, Progress, Recycle, Removed},
    domain::{
        call::State,
        campaign::Status,
        event::{End, Kind, Leave, LegStatus, Reply, Source},
        id::{CallId, CampaignId},
        outcome::Outcome,
        phone,
        retention::Retention,
        rules::Rules,
    },
    store::{CallFilter, CallRow, ContactTable, Lane, Setting, Store, StoreError},
};
use sqlx::Connection;
use tokio_util::sync::CancellationToken;

use crate::support::base::only_a_file;
use crate::support::{Options, World, counted, csv_of, fictional, office::Office};

async fn connect(office: &Office) -> sqlx::SqliteConnection {
    sqlx::SqliteConnection::connect(office.store.path()).await.unwrap()
}

async fn by_hand(office: &Office, sql: &'static str) {
    office.base.run(sql).await;
}

/// `n` more contacts of the campaign, all in its queue.
async fn enlarge(office: &Office, n: i64) {
    let (sqlite, postgres) = (
        "unhex(printf('%012x70008000%012x', {since} + {i}, {i}))",
        "CAST(lpad(to_hex({since} + {i}), 12, '0') || '70008000' || lpad(to_hex({i}), 12, '0') AS UUID)",
    );
    let number = ("printf('+1305%03d%04d', 220 + i / 10000, i % 10000)", "'+1305' || (220 + i / 10000) || lpad(CAST(i % 10000 AS TEXT), 4, '0')");
    let made = |id: &str, number: &str| {
        let id = |since: &str, i: &str| id.replace("{since}", since).replace("{i}", i);
        let contacts = format!("WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {n})
        INSERT INTO csv_contacts (id, csv_file_id, position, name, phone_number, country, zones, created_at)
        SELECT {}, (SELECT csv_file_id FROM campaigns LIMIT 1), i + 10, 'Contact ' || i, {number}, 'US', 'America/New_York', '2026-11-01T00:00:00+00:00' FROM n", id("1760000000000", "i"));
        let calls = format!("INSERT INTO campaign_calls (id, user_id, campaign_id, contact_id, phone_number, contact_name, country, zones, position, attempt, dialable_at, created_at, updated_at)
        SELECT {}, c.user_id, c.id, k.id, k.phone_number, k.name, 'US', k.zones, k.position, 1,
               '2026-11-18T14:00:00+00:00', '2026-11-18T14:00:00+00:00', '2026-11-18T14:00:00+00:00'
        FROM (SELECT * FROM csv_contacts WHERE position > 10) k, (SELECT * FROM campaigns LIMIT 1) c", id("1770000000000", "k.position"));
        format!("{contacts}; {calls}; UPDATE campaign_counts SET total = total + {n}, pending = pending + {n}")
    };
    office.base.run_in_its_words(&made(sqlite, number.0), &made(postgres, number.1)).await;
}

async fn calls(office: &Office, id: CampaignId) -> Vec<CallRow> {
    office.store.calls(id, &CallFilter::default(), 100_000, 0).await.unwrap().rows
}

async fn assert_books(office: &Office, id: CampaignId) {
    assert_eq!(office.row(id).await.counts, counted(&calls(office, id).await));
}

fn no_answer() -> Reply {
    Reply::Ended { end: End::NoAnswer, sip_code: Some(480), reason: "Temporarily Unavailable".into() }
}

/// The writer busy until the answer is dropped, so that what is asked for meanwhile is carried out together.
async fn hold(store: &Store) -> tokio::sync::oneshot::Sender<()> {
    let (release, wait) = tokio::sync::oneshot::channel::<()>();
    let (begun, started) = tokio::sync::oneshot::channel();
    let store = store.clone();
    tokio::spawn(async move {
        let job = store.write(Lane::Urgent, move |_| {
            Box::pin(async move {
                begun.send(()).unwrap();
                drop(wait.await);
                Ok::<_, StoreError>(())
            })
        });
        job.await.unwrap();
    });
    started.await.unwrap();
    release
}

// [bug 10] A stop answers with what is not called, at once; its queue is emptied in slices, each of which
// leaves the books true; a crash in between leaves the rest to whoever comes next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_is_carried_out_in_slices() {
    let (office, id) = Office::calling(csv_of(3), |_| {}).await;
    enlarge(&office, 30_000).await;
    let (desk, actor) = (office.desk.clone(), office.actor.clone());
    let mut db = office.base.connect().await;
    let stopping = tokio::spawn(async move { desk.stop(actor, id, false).await });
    let mut seen = std::collections::BTreeSet::new();
    while !stopping.is_finished() {
        // One text: the books and the rows of one moment.
        let sql = "SELECT n.pending || ' ' || n.canceled || ' ' || n.total || ' ' || (SELECT count(*) FROM campaign_calls WHERE rank = 0)
                          || ' ' || (SELECT count(*) FROM campaign_calls WHERE state = 'canceled')
                   FROM campaign_counts n";
        let figures: Vec<i64> = db.column::<String>(sql).await.remove(0).split(' ').map(|n| n.parse().unwrap()).collect();
        let [pending, canceled, total, waiting, gone] = figures[..] else { panic!("{figures:?}") };
        assert_eq!((pending, canceled, pending + canceled), (waiting, gone, total), "at every commit");
        seen.insert(pending);
    }
    assert_eq!(stopping.await.unwrap().unwrap().canceled, 30_003, "what is not called, told at once");
    assert!(seen.len() > 2, "in slices: {seen:?}");
    let left = office.row(id).await.counts.pending;
    assert!(left > 0, "a large campaign's stop does not wait for the last row");
    assert!(office.row(id).await.execution_status == Status::Completed && office.dial(id).await.is_err(), "and nobody is armed meanwhile");
    // Another process: the one that stopped it is gone.
    let store = office.base.open().await;
    let clock: SharedClock = Arc::new(office.clock.clone());
    Desk::new(store, clock, Rules::default()).empty_stopped().await.unwrap();
    assert_eq!(office.row(id).await.counts.pending, 0);
    assert!(calls(&office, id).await.iter().all(|c| c.state == State::Canceled && (c.reason == "stopped by tester" || c.reason == "the campaign was stopped")));
    assert_books(&office, id).await;
}

// A start in the middle of a stop: the old run's rows are gone first, each contact has one row of the new run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_in_the_middle_of_a_stop_begins_anew() {
    let (office, id) = Office::calling(csv_of(3), |_| {}).await;
    enlarge(&office, 12_000).await;
    let last = calls(&office, id).await.iter().map(|c| c.created_at).max().unwrap();
    office.wait(TimeDelta::seconds(1));
    office.desk.stop(office.actor.clone(), id, false).await.unwrap();
    assert!(office.row(id).await.counts.pending > 0);
    office.start(id).await;
    let rows = calls(&office, id).await;
    let pending: Vec<_> = rows.iter().filter(|c| c.state == State::Pending).collect();
    assert!(pending.iter().all(|c| c.created_at > last), "none of the old run");
    let contacts: std::collections::BTreeSet<_> = pending.iter().map(|c| c.contact_id).collect();
    assert_eq!((pending.len(), contacts.len()), (12_003, 12_003));
    assert_books(&office, id).await;
}

// [bug 15] paused, another operator stops, start: it looks at its contacts from the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_judges_the_campaign_as_it_is_in_its_own_transaction() {
    let (office, id) = Office::calling(csv_of(3), |_| {}).await;
    office.desk.pause(office.actor.clone(), id).await.unwrap();
    let held = hold(&office.store).await;
    let (desk, actor) = (office.desk.clone(), office.actor.clone());
    let stopping = tokio::spawn(async move { desk.stop(actor, id, false).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (desk, actor) = (office.desk.clone(), office.actor.clone());
    let starting = tokio::spawn(async move { desk.start(actor, id).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(held);
    stopping.await.unwrap().unwrap();
    starting.await.unwrap().unwrap();
    let row = office.row(id).await;
    assert_eq!((row.execution_status, row.counts.pending, row.counts.canceled), (Status::Running, 3, 3));
    assert_books(&office, id).await;
}

// A deleted campaign's queue is emptied as well.
#[tokio::test]
async fn a_deleted_campaign_leaves_no_row_in_a_queue() {
    let (office, id) = Office::calling(csv_of(3), |_| {}).await;
    office.desk.pause(office.actor.clone(), id).await.unwrap();
    office.desk.delete_campaign(office.actor.clone(), id).await.unwrap();
    office.desk.empty_stopped().await.unwrap();
    assert!(calls(&office, id).await.iter().all(|c| c.state == State::Canceled));
}

// [bug 10] Recycling in slices: everybody once, whoever was not reached while it went on not again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recycling_takes_everybody_once() {
    let (office, id) = Office::calling(csv_of(3), |s| s.retry.max_attempts = 1).await;
    enlarge(&office, 3000).await;
    let ended = "UPDATE campaign_calls SET state = 'no_answer', rank = 90, armed_at = '2026-11-18T15:00:00+00:00', completed_at = '2026-11-18T15:00:10+00:00', charged = TRUE";
    by_hand(&office, ended).await;
    by_hand(&office, "UPDATE campaign_counts SET pending = 0, no_answer = total, dials = total").await;
    let what = Recycle { no_answer: true, ..Recycle::default() };
    let refused = office.desk.recycle(office.actor.clone(), id, what).await.unwrap_err();
    assert!(matches!(refused, DeskError::Refused(ref r) if r.gate == "contacts"), "the budget holds: {refused}");
    by_hand(&office, "UPDATE campaigns SET retry = '{\"maxAttempts\": 5}'").await;
    assert_eq!(office.desk.recycle(office.actor.clone(), id, what).await.unwrap(), 3003);
    let rows = calls(&office, id).await;
    let contacts: std::collections::BTreeSet<_> = rows.iter().filter(|c| c.state == State::Pending).map(|c| (c.contact_id, c.attempt)).collect();
    assert!(contacts.len() == 3003 && contacts.iter().all(|c| c.1 == 2));
    assert_books(&office, id).await;
    // Again at once: all of them wait, nobody is left.
    assert!(office.desk.recycle(office.actor.clone(), id, what).await.is_err());
}

// Somebody stops a campaign while another recycles it: stopped it stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_a_recycling() {
    let (office, id) = Office::calling(csv_of(5), |s| s.retry.max_attempts = 1).await;
    for _ in 0..2 {
        let call = office.dial(id).await.unwrap();
        office.reply(call, no_answer()).await;
    }
    by_hand(&office, "UPDATE campaigns SET retry = '{\"maxAttempts\": 5}'").await;
    let held = hold(&office.store).await;
    let (desk, actor) = (office.desk.clone(), office.actor.clone());
    let recycling = tokio::spawn(async move { desk.recycle(actor, id, Recycle { no_answer: true, ..Recycle::default() }).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    office.wait(TimeDelta::seconds(1));
    let (desk, actor) = (office.desk.clone(), office.actor.clone());
    let stopping = tokio::spawn(async move { desk.stop(actor, id, false).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(held);
    drop(recycling.await.unwrap());
    stopping.await.unwrap().unwrap();
    let row = office.row(id).await;
    assert_eq!((row.execution_status, row.counts.pending), (Status::Completed, 0), "{}", row.status_reason);
    assert_books(&office, id).await;
}

// [bug 11] Who is marked "do not call" is on the list from its slice on, and its waiting calls are gone; the
// list keeps them when the import is broken off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_do_not_call_rows_is_taken_in_slices() {
    let (office, id) = Office::calling(csv_of(1500), |_| {}).await;
    let mut csv = "name,phone,do not call\n".to_owned();
    for i in 0..1500 {
        csv.push_str(&format!("Contact {i},{},{}\n", fictional(i), if i % 3 == 0 { "" } else { "yes" }));
    }
    let (_, report) = office.import(csv.clone()).await;
    assert_eq!(report.do_not_call, 1000);
    assert_eq!(office.store.do_not_call(office.actor.owner, 1, 0).await.unwrap().total, 1000);
    let row = office.row(id).await;
    assert_eq!((row.counts.pending, row.counts.canceled), (500, 1000));
    assert_books(&office, id).await;

    let other = Office::open(|_| {}).await;
    let import = Import { table: ContactTable::CsvFile, name: "x".into(), region: phone::region("US").ok(), mapping: Vec::new(), size: None, dry_run: false };
    let (progress, cancel) = (tokio::sync::watch::Sender::new(Progress::default()), CancellationToken::new());
    let (mut told, stop) = (progress.subscribe(), cancel.clone());
    tokio::spawn(async move {
        drop(told.changed().await);
        stop.cancel();
    });
    let cut = std::io::Cursor::new(csv.into_bytes());
    let done = other.desk.import(other.actor.clone(), import, Slow(cut), progress, cancel).await;
    assert!(done.is_err());
    assert!(other.store.sources(other.actor.owner).await.unwrap().is_empty());
    assert!(other.store.do_not_call(other.actor.owner, 1, 0).await.unwrap().total > 0, "who said no is believed all the same");
}

/// A reader that takes its time.
struct Slow(std::io::Cursor<Vec<u8>>);

impl std::io::Read for Slow {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        std::thread::sleep(Duration::from_millis(20));
        let n = out.len().min(4096);
        self.0.read(&mut out[..n])
    }
}

fn answered() -> Reply {
    Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }
}

async fn talk(office: &Office, id: CampaignId) -> CallId {
    let call = office.dial(id).await.unwrap();
    office.reply(call, answered()).await;
    let left = Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None };
    office.tell(call, "left", Source::Livekit, left).await;
    call
}

/// How many rows a table has.
async fn count(office: &Office, table: &'static str) -> i64 {
    office.base.one(&format!("SELECT count(*) FROM {table}")).await
}

// [bug 17] What is old goes; what keeps somebody from being called does not, nor what is young.
#[tokio::test]
async fn what_is_old_goes_and_what_gates_look_at_stays() {
    let (office, over) = Office::calling(csv_of(3), |_| {}).await;
    let (source, _) = office.import(format!("name,phone\nAna,{}\nBen,{}\n", fictional(500), fictional(501))).await;
    for _ in 0..2 {
        talk(&office, over).await;
    }
    office.tag(calls(&office, over).await[1].id, Outcome::DoNotCall).await;
    let last = talk(&office, over).await;
    office.tag(last, Outcome::Interested).await;
    let engine = dialdeck::desk::Actor::engine(office.actor.owner);
    assert!(office.desk.finish(engine, over, Status::Completed, "all contacts were called".into()).await.unwrap());
    // One that still runs and has called long ago, one that waits.
    office.wait(TimeDelta::days(2));
    let running = office.started(source, |s| s.daily_cap = 1).await;
    let reached = talk(&office, running).await;
    let paused = office.started(source, |_| {}).await;
    office.desk.pause(office.actor.clone(), paused).await.unwrap();
    office.desk.campaign_note(over, "no agent".into()).await.unwrap();
    office.desk.campaign_note(running, "no agent".into()).await.unwrap();
    let keep = Retention::default();
    assert_eq!(office.desk.tidy(&keep).await.unwrap(), Removed::default(), "nothing is old");

    office.wait(TimeDelta::days(401));
    let fresh = |key: &'static str| office.desk.reserve_key(office.actor.owner, key.into(), "r".into());
    fresh("old").await.unwrap();
    office.wait(TimeDelta::hours(25));
    fresh("young").await.unwrap();
    let (height, listed) = (office.store.audit_height().await.unwrap(), count(&office, "do_not_call").await);
    assert_eq!(office.desk.tidy(&Retention::FOR_EVER).await.unwrap(), Removed::default());
    let removed = office.desk.tidy(&keep).await.unwrap();
    assert_eq!((removed.calls, removed.keys), (3, 1), "{removed:?}");
    assert!(removed.events > 0 && removed.audit > 5, "{removed:?}");
    assert!(office.store.campaign(office.actor.owner, over).await.unwrap().is_none(), "off the list with its calls");
    assert!(calls(&office, over).await.is_empty());
    assert_eq!((count(&office, "call_outcomes").await, count(&office, "do_not_call").await, listed), (0, 1, 1));
    assert!(office.store.audit_height().await.unwrap() > height, "the audit only grows");
    assert_eq!(office.store.setting(Setting::CampaignNote(over)).await.unwrap(), None);
    assert!(office.store.setting(Setting::CampaignNote(running)).await.unwrap().is_some());
    // Who was reached is not called again, however long ago that was.
    assert_eq!(office.call(reached).await.state, State::Completed);
    assert_books(&office, running).await;
    assert_eq!(office.row(paused).await.counts.pending, 2);
    let dialled = office.dial(running).await.unwrap();
    assert_ne!(office.call(dialled).await.phone_number, office.call(reached).await.phone_number);
    assert_eq!(office.desk.check_counts().await.unwrap(), Vec::<String>::new(), "and the books are true");
    assert!(office.desk.tidy(&keep).await.unwrap().calls == 0);
}

// The audit's newest line stays: a database is known to be older than its calls by how far it has grown.
#[tokio::test]
async fn the_audit_never_loses_its_newest_line() {
    let (office, _) = Office::calling(csv_of(1), |_| {}).await;
    let height = office.store.audit_height().await.unwrap();
    office.wait(TimeDelta::days(1000));
    for _ in 0..3 {
        office.desk.tidy(&Retention::default()).await.unwrap();
        assert_eq!((office.store.audit_height().await.unwrap(), count(&office, "audit").await), (height, 1));
    }
}

// More than a slice of each, and every slice's commit leaves room for others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_calls_go_in_slices() {
    let (office, id) = Office::calling(csv_of(3), |_| {}).await;
    enlarge(&office, 2000).await;
    office.desk.stop(office.actor.clone(), id, false).await.unwrap();
    office.wait(TimeDelta::days(401));
    assert_eq!(office.desk.tidy(&Retention::default()).await.unwrap().calls, 2003);
    assert_eq!((count(&office, "campaign_calls").await, count(&office, "campaign_days").await), (0, 0));
    assert_eq!(office.desk.check_counts().await.unwrap(), Vec::<String>::new());
    assert!(count(&office, "csv_contacts").await >= 2003, "the file is the operator's");
}

// The engine's own housekeeper goes on with a stop that nobody carried out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_housekeeper_goes_on_with_a_stop() {
    let mut world = World::new(Options::default()).await;
    let (source, _) = world.import(csv_of(40)).await;
    let id = world.campaign(source, |_| {}).await;
    world.desk.start(world.actor.clone(), id).await.unwrap();
    let stopped = "UPDATE campaigns SET execution_status = 'completed', status_reason = 'stopped by somebody', fill_position = NULL";
    world.base.run(stopped).await;
    world.start_engine();
    world.until("an empty queue", Duration::from_secs(20), || async { world.row(id).await.counts.pending == 0 }).await;
    let rows = world.calls(id).await;
    assert!(rows.len() == 40 && rows.iter().all(|c| c.state == State::Canceled && c.reason == "stopped by somebody"));
    assert_eq!(world.row(id).await.counts, counted(&rows));
}

// [move 9] Books that differ from the rows are mended where an engine takes over, and it is told.
#[tokio::test]
async fn books_that_differ_are_mended_and_told() {
    only_a_file!("books falsified in SQLite's words");
    let (office, id) = Office::calling(csv_of(6), |s| s.max_concurrent = 6).await;
    let ended = talk(&office, id).await;
    let open = office.dial(id).await.unwrap();
    let (nothing, check) = (Vec::<String>::new(), || async { (office.desk.check_lines().await.unwrap(), office.desk.check_counts().await.unwrap()) });
    assert_eq!(check().await, (nothing.clone(), nothing.clone()), "nothing to mend in a house in order");
    let hex = |call: CallId| call.hex();
    let mut db = connect(&office).await;
    for sql in [
        format!("UPDATE numbers_live SET call_id = unhex('{0}') WHERE number = (SELECT phone_number FROM campaign_calls WHERE id = unhex('{0}'))", hex(ended)),
        format!("DELETE FROM numbers_live WHERE call_id = unhex('{}')", hex(open)),
        format!(
            "INSERT INTO numbers_live (number, call_id, last_armed_at) VALUES ('+12125550199', unhex('{}'), '2026-11-18T16:59:00+00:00')",
            hex(CallId::fresh())
        ),
        "UPDATE trunks SET live = 4".to_owned(),
        "UPDATE campaign_counts SET pending = pending + 7, live = 0, talk_seconds = talk_seconds + 60, interested = 3".to_owned(),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
    }
    let (lines, counts) = check().await;
    let told = lines.join("\n");
    assert!(
        lines.len() == 4 && told.contains("is not on the line") && told.contains("was free") && told.contains("4 lines in use in the books and 1"),
        "{told}"
    );
    assert!(counts.len() == 1 && counts[0].contains("pending -7, live +1, interested -3, talk_seconds -60"), "{counts:?}");
    assert_eq!(check().await, (nothing.clone(), nothing));
    assert_books(&office, id).await;
    let audit: i64 = sqlx::query_scalar("SELECT count(*) FROM audit WHERE action = 'books_mended'").fetch_one(&mut db).await.unwrap();
    assert_eq!(audit, 5, "each with a line of the audit");
    let held: Vec<(String, Option<String>)> =
        sqlx::query_as("SELECT number, held_until FROM numbers_live WHERE call_id IS NULL ORDER BY number").fetch_all(&mut db).await.unwrap();
    assert!(held.iter().any(|(n, until)| n == "+12125550199" && until.is_some()), "a call without a trace may still ring: {held:?}");
    assert!(held.iter().any(|(_, until)| until.is_none()), "a call that ended is over");
    // The one on the line still has its number, the others can be called.
    office.reply(open, no_answer()).await;
    let (rung, _) = office.dial_all(id, no_answer()).await;
    assert_eq!(rung.len(), 4);
    assert_books(&office, id).await;
}

// [C1] A promise for the year 262142, taken by an earlier release, no longer stands before everybody else.
#[tokio::test]
async fn a_promise_of_an_earlier_release_is_taken_back() {
    only_a_file!("migrations of SQLite");
    let (office, id) = Office::calling(csv_of(3), |_| {}).await;
    let mut db = connect(&office).await;
    for sql in [
        "UPDATE campaign_calls SET dialable_at = '+262142-01-01T00:00:00+00:00', priority = 1 WHERE position = (SELECT min(position) FROM campaign_calls)",
        "DROP INDEX idempotency_keys_by_age",
        "ALTER TABLE idempotency_keys DROP COLUMN location",
        "DELETE FROM _sqlx_migrations WHERE version = 5",
    ] {
        sqlx::query(sql).execute(&mut db).await.unwrap();
    }
    Store::open(&format!("sqlite:{}", office.store.path())).await.unwrap();
    assert_eq!(office.desk.check_counts().await.unwrap().len(), 1);
    assert_books(&office, id).await;
    assert_eq!(office.dial_all(id, no_answer()).await.0.len(), 2);
}
