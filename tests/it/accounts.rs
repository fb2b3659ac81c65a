//! P3, P5: the daily cap, the lines and the attempts of a campaign against plain arithmetic, under any
//! sequence of dials, ends, pauses, edits and days, through the real desk and a real database.

#![allow(clippy::cast_possible_wrap, reason = "the small numbers of a test")]

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use dialdeck::{
    clock::Clock,
    desk::{Actor, ArmRequest, AssignNumber, CampaignDraft, Claimed, Desk, Import, Installation, Progress, Refused},
    domain::{
        campaign::{ContactSource, Settings},
        event::{CallEvent, End, Fault, Kind, Leave, LegStatus, Reply, Source, Target},
        gate::{Profile, Rules},
        id::{CallId, CampaignId, Incarnation, TrunkId},
        phone::PhoneNumber,
        retry::RetryRules,
        schedule::Days,
    },
    store::{CampaignEdit, ContactTable, Store},
};
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use crate::support::{csv_of, quick_rules, settings, virtual_time::VirtualClock};

const CONTACTS: usize = 5;
const LINES: i64 = 4;
const RETRY: RetryRules = RetryRules { max_attempts: 2, no_answer_minutes: 30, busy_minutes: 15, trunk_minutes: 5 };
/// Attempts that charge nothing come to an end as well.
const ROWS: usize = 12;

#[derive(Debug, Clone)]
enum Op {
    Dial,
    End(usize, How),
    Wait(i64),
    Pause,
    Resume,
    Cap(i64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    Answered,
    Busy,
    NoAnswer,
    Rejected,
    TrunkFailed,
    Unsent,
}

fn op() -> impl Strategy<Value = Op> {
    let how = prop::sample::select(vec![How::Answered, How::Busy, How::NoAnswer, How::NoAnswer, How::Rejected, How::TrunkFailed, How::Unsent]);
    prop_oneof![
        6 => Just(Op::Dial),
        5 => (0usize..4, how).prop_map(|(i, how)| Op::End(i, how)),
        3 => prop::sample::select(vec![1, 10, 40, 300, 900, 1500]).prop_map(Op::Wait),
        1 => Just(Op::Pause),
        2 => Just(Op::Resume),
        1 => (1i64..6).prop_map(Op::Cap),
    ]
}

#[derive(Debug, Default)]
struct Contact {
    /// `None`: no row waits. Otherwise due then.
    due: Option<DateTime<Utc>>,
    charged: i64,
    rows: usize,
    dials: Vec<DateTime<Utc>>,
}

/// The books, kept by hand.
#[derive(Debug)]
struct Books {
    cap: i64,
    running: bool,
    used: BTreeMap<NaiveDate, i64>,
    live: Vec<(CallId, String, NaiveDate)>,
    contacts: HashMap<String, Contact>,
}

#[derive(Debug, PartialEq)]
enum Expect {
    Armed,
    Gate(&'static str),
    Wait,
}

impl Books {
    fn expect(&self, number: &str, now: DateTime<Utc>) -> Expect {
        let c = &self.contacts[number];
        let recent = c.dials.iter().filter(|t| now - **t < TimeDelta::hours(24)).count();
        match () {
            () if !self.running => Expect::Gate("state"),
            () if recent >= 3 => Expect::Gate("attempts_24h"),
            () if self.used.get(&day(now)).copied().unwrap_or(0) >= self.cap => Expect::Gate("daily_cap"),
            () if self.live.len() as i64 >= 3 => Expect::Wait,
            () => Expect::Armed,
        }
    }

    fn end(&mut self, i: usize, how: How, now: DateTime<Utc>) -> CallId {
        let (call, number, day) = self.live.remove(i);
        let c = self.contacts.get_mut(&number).unwrap();
        let wait = match how {
            How::Answered | How::Rejected => None,
            How::Busy => Some(TimeDelta::minutes(15)),
            How::NoAnswer => Some(TimeDelta::minutes(30)),
            How::TrunkFailed => Some(TimeDelta::minutes(5)),
            How::Unsent => Some(TimeDelta::seconds(5)),
        };
        if how == How::Unsent {
            *self.used.get_mut(&day).unwrap() -= 1;
            c.dials.pop();
        }
        c.charged += i64::from(!matches!(how, How::TrunkFailed | How::Unsent));
        let again = c.charged < RETRY.max_attempts && c.rows < ROWS;
        c.due = wait.filter(|_| again).map(|w| now + w);
        c.rows += usize::from(c.due.is_some());
        call
    }
}

fn day(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&chrono_tz::America::New_York).date_naive()
}

struct Office {
    clock: VirtualClock,
    store: Store,
    desk: Desk,
    actor: Actor,
    installation: Installation,
    incarnation: Incarnation,
    trunk: TrunkId,
    campaign: CampaignId,
    settings: Settings,
    _dir: tempfile::TempDir,
}

impl Office {
    async fn open() -> Self {
        let dir = tempfile::TempDir::new_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let clock = VirtualClock::new("2026-11-18T17:00:00Z".parse().unwrap());
        let store = Store::open(&format!("sqlite:{}", dir.path().join("t.db").display())).await.unwrap();
        let rules = Rules { profile: Profile::None, trunk_concurrent: LINES, calls_per_second: 1e9, ..quick_rules() };
        let desk = Desk::new(store.clone(), Arc::new(clock.clone()), rules);
        let installation = desk.installation(None).await.unwrap();
        let actor = Actor { owner: installation.owner, name: "tester".into(), source: "console" };
        let assistant = desk.add_assistant(actor.clone(), None, "Sarah".into(), None, "Hello {name}".into(), None).await.unwrap().id;
        let assign = AssignNumber {
            number: PhoneNumber::own("+15550009999").unwrap(),
            assistant,
            livekit_trunk: "ST_1".into(),
            trunk_name: "main".into(),
            address: "trunk.example".into(),
            numbers: vec!["+15550009999".into()],
            inbound_trunk: None,
        };
        desk.assign_number(actor.clone(), assign).await.unwrap();
        let import = Import { table: ContactTable::CsvFile, name: "c.csv".into(), region: None, mapping: Vec::new(), size: None, dry_run: false };
        let progress = tokio::sync::watch::Sender::new(Progress::default());
        let csv = std::io::Cursor::new(csv_of(CONTACTS));
        let (source_id, _) = desk.import(actor.clone(), import, csv, progress, CancellationToken::new()).await.unwrap();
        let settings = Settings { daily_cap: 3, max_concurrent: 3, retry: RETRY, calling_days: Days::ALL, ..settings() };
        let draft = CampaignDraft {
            name: "Books".into(),
            assistant,
            source: ContactSource::CsvFile,
            source_id,
            prompt: "Hello {name}".into(),
            agent_name: None,
            settings: settings.clone(),
        };
        let campaign = desk.create_campaign(actor.clone(), draft).await.unwrap();
        desk.start(actor.clone(), campaign).await.unwrap();
        desk.fill(actor.owner, campaign).await.unwrap();
        let trunk = store.trunks().await.unwrap()[0].id;
        Self { clock, store, desk, actor, installation, incarnation: Incarnation::fresh(), trunk, campaign, settings, _dir: dir }
    }

    async fn books(&self) -> Books {
        let rows = self.store.calls(self.campaign, &dialdeck::store::CallFilter::default(), 100, 0).await.unwrap().rows;
        let contact = |due| Contact { due: Some(due), rows: 1, ..Contact::default() };
        Books {
            cap: 3,
            running: true,
            used: BTreeMap::new(),
            live: Vec::new(),
            contacts: rows.into_iter().map(|r| (r.phone_number, contact(r.dialable_at))).collect(),
        }
    }

    async fn claim(&self) -> Option<Claimed> {
        let row = Arc::new(self.store.campaign(self.actor.owner, self.campaign).await.unwrap().unwrap());
        let zones = self.store.zone_heads(self.campaign).await.unwrap().into_iter().map(|h| h.zones).collect();
        self.desk.claim(self.installation, row, zones, 1, self.incarnation, TimeDelta::days(9)).await.unwrap().pop()
    }

    async fn dial(&self, books: &mut Books) -> Result<(), TestCaseError> {
        // The trunk's rate is no subject here: a millisecond fills its bucket.
        self.clock.advance(self.clock.now() + TimeDelta::milliseconds(1));
        let now = self.clock.now();
        let claimed = self.claim().await;
        let due = books.contacts.values().any(|c| c.due.is_some_and(|t| t <= now));
        prop_assert_eq!(claimed.is_some(), due, "something is due: {:?}", books);
        let Some(claimed) = claimed else { return Ok(()) };
        let number = claimed.number.clone();
        prop_assert!(books.contacts[&number].due.is_some_and(|t| t <= now), "{} is not due: {:?}", number, books);
        let expected = books.expect(&number, now);
        let (call, claim) = (claimed.call, claimed.claim_number);
        let request = ArmRequest { claimed, incarnation: self.incarnation, trunk: self.trunk, livekit_trunk: "ST_1".into(), caller_id: "+15550009999".into() };
        let got = match self.desk.arm(request).await.unwrap() {
            Ok(_) => Expect::Armed,
            Err(Refused::Gate(refusal)) => Expect::Gate(refusal.gate),
            Err(Refused::Wait(_)) => Expect::Wait,
            Err(Refused::Lost) => Expect::Gate("lost"),
        };
        prop_assert_eq!(&got, &expected, "{} at {}: {:?}", number, now, books);
        if got == Expect::Wait {
            self.desk.release(call, claim, now, "no line".into()).await.unwrap();
        }
        let contact = books.contacts.get_mut(&number).unwrap();
        if got == Expect::Armed {
            contact.due = None;
            contact.dials.push(now);
            books.live.push((call, number, day(now)));
            *books.used.entry(day(now)).or_default() += 1;
        } else {
            // When it is tried again is the gates' own affair, and tested with them.
            contact.due = Some(self.store.any_call(call).await.unwrap().unwrap().dialable_at);
        }
        Ok(())
    }

    async fn end(&self, call: CallId, how: How) {
        let ended = |end| Reply::Ended { end, sip_code: None, reason: "x".into() };
        let reply = match how {
            How::Answered => Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() },
            How::Busy => ended(End::Busy),
            How::NoAnswer => ended(End::NoAnswer),
            How::Rejected => ended(End::Rejected),
            How::TrunkFailed => ended(End::TrunkFailed),
            How::Unsent => Reply::Unsent { fault: Fault::Late, reason: "x".into() },
        };
        self.tell(call, "dial", Source::Dial, Kind::Reply(reply)).await;
        if how == How::Answered {
            let left = Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None };
            self.tell(call, "left", Source::Livekit, left).await;
        }
    }

    async fn tell(&self, call: CallId, what: &str, source: Source, kind: Kind) {
        let event = CallEvent { key: format!("{what}:{call}"), target: Target::Call(call), source, at: self.clock.now(), kind, raw: serde_json::Value::Null };
        self.desk.record(event).await.unwrap();
    }

    async fn set_cap(&mut self, cap: i64) {
        self.settings.daily_cap = cap;
        let edit = CampaignEdit { name: "Books".into(), prompt: "Hello {name}".into(), agent_name: None, settings: self.settings.clone() };
        self.desk.edit_campaign(self.actor.clone(), self.campaign, edit).await.unwrap();
    }

    /// The books agree with the rows.
    async fn audit(&self, books: &Books) -> Result<(), TestCaseError> {
        for (day, used) in &books.used {
            let stored = self.store.campaign_day(self.campaign, *day).await.unwrap().map_or(0, |d| d.used);
            prop_assert_eq!(stored, *used, "used on {}: {:?}", day, books);
        }
        let row = self.store.campaign(self.actor.owner, self.campaign).await.unwrap().unwrap();
        let trunk = &self.store.trunks().await.unwrap()[0];
        let live = books.live.len() as i64;
        prop_assert_eq!((row.counts.live, trunk.live), (live, live), "{:?}", books);
        prop_assert_eq!(row.counts.pending, books.contacts.values().filter(|c| c.due.is_some()).count() as i64, "{:?}", books);
        Ok(())
    }

    async fn run(&mut self, ops: Vec<Op>) -> Result<(), TestCaseError> {
        let mut books = self.books().await;
        for op in ops {
            match op {
                Op::Dial => self.dial(&mut books).await?,
                Op::End(i, how) if i < books.live.len() => {
                    let call = books.end(i, how, self.clock.now());
                    self.end(call, how).await;
                }
                Op::End(..) => {}
                Op::Wait(minutes) => self.clock.advance(self.clock.now() + TimeDelta::minutes(minutes)),
                Op::Pause => books.running &= self.desk.pause(self.actor.clone(), self.campaign).await.is_err(),
                Op::Resume => books.running |= self.desk.resume(self.actor.clone(), self.campaign).await.is_ok(),
                Op::Cap(cap) => {
                    self.set_cap(cap).await;
                    books.cap = cap;
                }
            }
            self.audit(&books).await?;
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p3_p5_cap_lines_and_attempts_are_those_of_plain_books(ops in prop::collection::vec(op(), 20..90)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async { Office::open().await.run(ops).await })?;
    }
}
