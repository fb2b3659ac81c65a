//! Every method of the store, on every kind of database there is: rows in, rows out. What a case asserts is what
//! the rest of the program stands on, whichever database is below it. A method that no case calls fails
//! `every_method_of_the_store_is_in_a_case`.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, Utc};
use dialdeck::{
    domain::{
        call::State,
        campaign::{ContactSource, Settings, Status},
        contact::{ImportReport, NewContact},
        id::{AssistantId, CallId, CampaignId, ContactId, Incarnation, OwnerId, SourceId, TrunkId},
        outcome::{Outcome, Who},
    },
    store::{Armed, AssistantRow, CallRow, CallUpdate, Kept, NewCall, NewCampaign, NewEvent, NewOutcome, Store, StoreError, Sums, TrunkRow, Tx},
};
use sqlx::types::Json;

use crate::support::settings;

/// One write transaction: its last expression is what comes out, `?` ends it without.
macro_rules! tx {
    ($house:expr, |$tx:ident| $body:expr) => {
        try_tx!($house, |$tx| $body).unwrap()
    };
}

/// The same, with the error.
macro_rules! try_tx {
    ($house:expr, |$tx:ident| $body:expr) => {
        $house.store.write(dialdeck::store::Lane::Urgent, move |$tx| Box::pin(async move { Ok::<_, dialdeck::store::StoreError>($body) })).await
    };
}

/// Facts alone, without what they move.
async fn facts(tx: &mut Tx, events: &[NewEvent<'_>], now: DateTime<Utc>) -> Result<(), StoreError> {
    tx.keep(&Kept { events, calls: &[], sums: &Sums::default(), freed: &[] }, now).await
}

/// A line of a call's history.
#[expect(clippy::too_many_arguments, reason = "the columns of one row")]
async fn line_of(
    tx: &mut Tx,
    call: CallId,
    value: Option<Outcome>,
    previous: Option<Outcome>,
    note: &str,
    who: Who,
    by: &str,
    confidence: Option<f64>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.insert_outcome(&NewOutcome { call, value, previous, note, who, by, confidence, undoes: None, callback_at: None }, now).await
}

/// Each case as a test of each kind of database: a further kind joins by one line here, and says in `Db` how a fresh
/// one is opened.
macro_rules! databases {
    ($($case:ident),+ $(,)?) => {
        databases!(only sqlite: $($case),+);
        databases!(only postgres: $($case),+);
    };
    (only $kind:ident: $($case:ident),+ $(,)?) => {
        mod $kind {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let Some(db) = crate::conformance::Db::$kind().await else { return };
                    let strangers = db.strangers();
                    super::$case(crate::conformance::House::over(db).await).await;
                    crate::pgowner::nothing_is_a_strangers(strangers.as_deref());
                }
            )+
        }
    };
}

mod assistants;
mod backup;
mod boards;
mod calls;
mod campaigns;
mod contacts;
mod counting;
mod gates;
mod housekeeping;
mod installation;
mod past;
mod reports;
mod requests;
mod tagging;
mod together;

/// A fresh database, gone with its value. `None`: its programs are not on this machine, which is said once.
pub struct Db {
    store: Store,
    url: String,
    _keep: Box<dyn std::any::Any + Send + Sync>,
}

impl Db {
    pub async fn sqlite() -> Option<Self> {
        let dir = tempfile::TempDir::new_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let url = format!("sqlite:{}", dir.path().join("t.db").display());
        Some(Self { store: Store::open(&url).await.unwrap(), url, _keep: Box::new(dir) })
    }

    pub async fn postgres() -> Option<Self> {
        let database = crate::support::postgres::database().await?;
        let url = database.url.clone();
        Some(Self { store: Store::open(&url).await.unwrap(), url, _keep: Box::new(database) })
    }
}

impl Db {
    pub fn store(&self) -> Store {
        self.store.clone()
    }

    /// What a stranger sees and changes with each statement that is run from here on.
    pub fn strangers(&self) -> Option<std::sync::Arc<dialdeck::store::Shadow>> {
        self.store.watch_for_strangers()
    }
}

/// A text that a database, an index or a text between could spoil.
pub const FOREIGN: &str = "Zoë „O'Brien\" \\ 名前 🦊 %_$1 ?\n\tя; --";

/// What a house begins with.
#[derive(Clone, Copy)]
pub struct Ids {
    pub owner: OwnerId,
    /// Has no rows unless a case gives it some.
    pub stranger: OwnerId,
    pub assistant: AssistantId,
    pub file: SourceId,
    pub campaign: CampaignId,
    pub trunk: TrunkId,
    pub mine: Incarnation,
    pub now: DateTime<Utc>,
}

impl Ids {
    pub fn after(&self, seconds: i64) -> DateTime<Utc> {
        self.now + Duration::seconds(seconds)
    }
}

/// A database with an assistant, its number over a trunk, a complete file, and a campaign over it.
pub struct House {
    pub store: Store,
    pub ids: Ids,
    count: AtomicI64,
    db: Db,
}

pub fn assistant(id: AssistantId, owner: OwnerId, name: &str, at: DateTime<Utc>) -> AssistantRow {
    AssistantRow { id, user_id: owner, name: name.into(), agent_name: None, prompt: "Hello".into(), language: "en".into(), created_at: at }
}

pub fn trunk(id: TrunkId, owner: OwnerId, livekit: &str) -> TrunkRow {
    TrunkRow {
        id,
        user_id: owner,
        livekit_id: livekit.into(),
        name: "main".into(),
        address: "trunk.example".into(),
        numbers: Json(vec!["+15550009999".into()]),
        countries: Json(vec!["US".into(), "GB".into()]),
        live: 0,
        max_live: 50,
    }
}

pub fn campaign(id: CampaignId, h: &Ids) -> NewCampaign {
    NewCampaign {
        id,
        owner: h.owner,
        name: "Q4".into(),
        assistant: h.assistant,
        source: ContactSource::CsvFile,
        source_id: Some(h.file),
        prompt: String::new(),
        agent_name: None,
        settings: Settings { daily_cap: 1000, ..settings() },
    }
}

impl House {
    pub async fn over(db: Db) -> Self {
        let ids = Ids {
            owner: OwnerId(uuid::Uuid::new_v4()),
            stranger: OwnerId(uuid::Uuid::new_v4()),
            assistant: AssistantId::fresh(),
            file: SourceId::fresh(),
            campaign: CampaignId::fresh(),
            trunk: TrunkId::fresh(),
            mine: Incarnation::fresh(),
            now: "2026-11-18T17:00:00.250Z".parse().unwrap(),
        };
        let house = Self { store: db.store.clone(), ids, count: AtomicI64::new(0), db };
        tx!(house, |tx| {
            tx.insert_assistant(&assistant(ids.assistant, ids.owner, "Sarah", ids.now)).await?;
            tx.insert_csv_file(ids.file, ids.owner, "leads.csv", 77, ids.now).await?;
            tx.finish_source(ContactSource::CsvFile, ids.file, &ImportReport::default(), ids.now).await?;
            tx.insert_campaign(&campaign(ids.campaign, &ids), ids.now).await?;
            tx.put_trunk(&trunk(ids.trunk, ids.owner, "ST_1"), ids.now).await?;
            tx.put_number(ids.owner, "+15550009999", ids.assistant, "ST_1", "main", None, ids.now).await?;
        });
        house
    }

    /// Whether lines were added, this many. A server gives a number out once, also to a line that was undone, as each
    /// is that a stranger tries.
    pub fn grown(&self, by: i64, lines: i64) -> bool {
        if self.store.is_shared() { by >= lines } else { by == lines }
    }

    /// Another program's hold on the same database.
    pub async fn other(&self) -> Store {
        Store::open(&self.db.url).await.unwrap()
    }

    pub fn next(&self) -> i64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    /// A row of a queue of its own, by a number and for a contact of its own, due at once.
    pub fn new_call(&self, change: impl FnOnce(&mut NewCall)) -> NewCall {
        let n = self.next();
        let mut call = NewCall {
            id: CallId::fresh(),
            contact_id: Some(ContactId::fresh()),
            phone_number: format!("+1202555{n:04}"),
            contact_name: format!("Contact {n}"),
            contact_email: String::new(),
            country: "US".into(),
            zones: format!("zone {n:04};"),
            position: n,
            attempt: 1,
            dialable_at: self.ids.now,
            priority: 0,
        };
        change(&mut call);
        call
    }

    pub async fn queue(&self, change: impl FnOnce(&mut NewCall)) -> CallRow {
        self.queue_in(self.ids.campaign, change).await
    }

    pub async fn queue_in(&self, campaign: CampaignId, change: impl FnOnce(&mut NewCall)) -> CallRow {
        let (h, call) = (self.ids, self.new_call(change));
        let id = call.id;
        assert_eq!(tx!(self, |tx| tx.insert_calls(h.owner, campaign, &[call], h.now).await?), 1);
        self.call(id).await
    }

    pub async fn call(&self, id: CallId) -> CallRow {
        self.store.any_call(id).await.unwrap().unwrap()
    }

    pub async fn claim(&self, row: &CallRow) -> CallRow {
        let (h, id, zones, campaign) = (self.ids, row.id, row.zones.clone(), row.campaign_id);
        let at = row.dialable_at.max(h.now);
        let claimed = tx!(self, |tx| tx.claim(campaign, &zones, 1, h.mine, Duration::seconds(30), at).await?);
        assert_eq!(claimed.iter().map(|r| r.id).collect::<Vec<_>>(), [id]);
        self.call(id).await
    }

    pub fn armed(&self, row: &CallRow) -> Armed {
        let h = self.ids;
        Armed {
            call: row.id,
            claim_number: row.claim_number,
            incarnation: h.mine,
            campaign: row.campaign_id,
            at: h.now,
            deadline: h.after(50),
            next: None,
            day: h.now.date_naive(),
            cap: 1000,
            trunk: h.trunk,
            lines: 50,
            tokens: 0.5,
            number: row.phone_number.clone(),
            room: format!("dd-{}", row.id),
            caller_id: "+15550009999".into(),
            script: "Hello".into(),
            ring_timeout_s: 30,
            max_call_duration_s: 900,
        }
    }

    pub async fn arm(&self, row: &CallRow, change: impl FnOnce(&mut Armed)) -> CallRow {
        let mut armed = self.armed(row);
        change(&mut armed);
        assert!(tx!(self, |tx| tx.arm(&armed).await?));
        self.call(row.id).await
    }

    /// A call that has been dialled, at the moment of its house.
    pub async fn dial(&self, change: impl FnOnce(&mut NewCall)) -> CallRow {
        self.dial_at(self.ids.now, change).await
    }

    pub async fn dial_at(&self, at: DateTime<Utc>, change: impl FnOnce(&mut NewCall)) -> CallRow {
        let row = self.queue(change).await;
        let row = self.claim(&row).await;
        self.arm(&row, |a| a.at = at).await
    }

    /// Writes what changes of a call.
    pub async fn change(&self, was: &CallRow, change: impl FnOnce(&mut CallRow)) -> CallRow {
        let (was, mut row, id) = (was.clone(), was.clone(), was.id);
        change(&mut row);
        let at = row.completed_at.unwrap_or(self.ids.now);
        tx!(self, |tx| tx.update_calls(&[CallUpdate { was: &was, row: &row }], at).await?);
        self.call(id).await
    }

    /// A call that was dialled and ended so, so many seconds after the moment of its house.
    pub async fn ended(&self, state: State, seconds: i64, change: impl FnOnce(&mut CallRow)) -> CallRow {
        let row = self.dial(|_| {}).await;
        self.end(&row, state, seconds, change).await
    }

    pub async fn end(&self, row: &CallRow, state: State, seconds: i64, change: impl FnOnce(&mut CallRow)) -> CallRow {
        let at = self.ids.after(seconds);
        let row = self
            .change(row, |r| {
                (r.state, r.completed_at, r.lease_until, r.reply_pending) = (state, Some(at), None, false);
                change(r);
            })
            .await;
        let free = [(row.phone_number.clone(), row.id, None)];
        tx!(self, |tx| tx.free_numbers(&free).await?);
        row
    }

    /// A call in which somebody talked for a while.
    pub async fn talked(&self, seconds: i64, change: impl FnOnce(&mut CallRow)) -> CallRow {
        let answered = self.ids.after(seconds - 60);
        self.ended(State::Completed, seconds, |r| {
            (r.answered_at, r.call_duration, r.leg_seen) = (Some(answered), 60, true);
            change(r);
        })
        .await
    }

    pub async fn campaign(&self, change: impl FnOnce(&mut NewCampaign)) -> CampaignId {
        let (h, id) = (self.ids, CampaignId::fresh());
        let mut draft = campaign(id, &h);
        change(&mut draft);
        tx!(self, |tx| tx.insert_campaign(&draft, h.now).await?);
        id
    }

    /// Contacts into a list or file; the places of those that went in.
    pub async fn contacts(&self, table: ContactSource, source: SourceId, rows: Vec<NewContact>) -> Vec<i64> {
        let slice = self.store.contact_slice(table, source, &rows, self.ids.now);
        tx!(self, |tx| tx.insert_contacts(slice).await?)
    }

    pub async fn start(&self, id: CampaignId) {
        let h = self.ids;
        assert!(tx!(self, |tx| tx.move_campaign(id, Status::Idle, Status::Running, "", "tester", h.now).await?));
    }
}

pub fn ids(rows: &[CallRow]) -> Vec<CallId> {
    rows.iter().map(|r| r.id).collect()
}

/// In the order of ids, for what promises no order.
pub fn sorted<T: Ord>(rows: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut rows: Vec<T> = rows.into_iter().collect();
    rows.sort();
    rows
}

/// Methods that no case of a database can ask: what the files of SQLite are for, and what needs a process.
const ELSEWHERE: &[(&str, &str)] = &[
    ("store.open", "each kind opens its own, in `Db`"),
    ("store.open_existing", "cli: a command that means a database that is there"),
    ("store.open_in_turns", "month: simulated time"),
    ("store.is_at_rest", "month: simulated time"),
    ("store.open_sized", "pghost: as many connections as are allowed"),
    ("store.of", "pgowner: the work of one user"),
    ("store.whole", "pgowner: the installation's"),
    ("store.watch_for_strangers", "in `Db`, over all cases"),
    ("store.passes_by_owners", "pgowner: a superuser is told so"),
    ("store.path_of", "walls: names of files"),
    ("store.real_path", "walls: names of files"),
    ("store.is_server", "pgstore: what a URL means"),
    ("store.writer_ended", "crash: the writer ends with its process"),
    ("store.check_file", "walls: a file that was removed under a running program"),
    ("store.file", "walls: the same"),
];

/// The files of a folder and of its folders, with their texts.
fn texts(folder: &str) -> Vec<(std::path::PathBuf, String)> {
    let mut all = Vec::new();
    let mut left = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()));
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            all.push((path, text));
        }
    }
    all
}

/// What `impl Store` and `impl Tx` offer, as `store.name` and `tx.name`.
fn methods() -> Vec<String> {
    let mut all = Vec::new();
    for (_, text) in texts("src/store") {
        let mut of = None;
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("impl ") {
                of = [("Store {", "store"), ("Tx {", "tx")].iter().find(|(head, _)| rest.starts_with(head)).map(|(_, of)| *of);
            }
            let name = line.strip_prefix("    pub async fn ").or(line.strip_prefix("    pub fn ")).and_then(|l| l.split(['(', '<']).next());
            all.extend(of.zip(name).map(|(of, name)| format!("{of}.{name}")));
        }
    }
    all
}

#[test]
fn every_method_of_the_store_is_in_a_case() {
    let all = methods();
    assert!(all.len() > 250, "{} methods are no store", all.len());
    // What a house begins with is read in cases.
    let makers = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/conformance.rs")).unwrap();
    let mut cases = makers.split_once("const ELSEWHERE").unwrap().0.to_owned();
    for (_, text) in texts("tests/it/conformance") {
        cases.extend(text.chars().filter(|c| !c.is_whitespace()));
    }
    let missing: Vec<&String> = all.iter().filter(|m| !cases.contains(&format!("{m}(")) && !ELSEWHERE.iter().any(|(e, _)| e == m)).collect();
    assert!(missing.is_empty(), "no case calls {missing:?}: add one to tests/it/conformance");
    let gone: Vec<&str> = ELSEWHERE.iter().map(|e| e.0).filter(|e| !all.iter().any(|m| m == e)).collect();
    assert!(gone.is_empty(), "there is no {gone:?}");
}

/// Updates of a call that move it nowhere.
const STAYS: &[&str] = &["SET recording_url"];

#[test]
fn every_update_of_a_call_names_what_it_moves_from() {
    let mut seen = 0;
    for (path, text) in texts("src/store") {
        for (at, _) in text.match_indices("UPDATE campaign_calls") {
            let rest = &text[at..];
            // To the end of the text it stands in, or of the statement.
            let sql = rest.split([';', '"']).next().unwrap();
            let names = sql.rsplit_once("WHERE").is_some_and(|(_, which)| which.contains("state =") || which.contains("rank "));
            assert!(names || STAYS.iter().any(|s| sql.contains(s)), "{}: {sql}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen} are no store");
}
