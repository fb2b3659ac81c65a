//! P3, P5: the daily cap, the lines and the attempts of a campaign against plain arithmetic, under any
//! sequence of dials, ends, pauses, edits and days, through the real desk and a real database.

#![allow(clippy::cast_possible_wrap, reason = "the small numbers of a test")]

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use dialdeck::{
    clock::Clock,
    desk::Refused,
    domain::{
        campaign::Settings,
        event::{End, Fault, Kind, Leave, LegStatus, Reply, Source},
        id::{CallId, CampaignId},
        retry::RetryRules,
    },
    store::{CallFilter, CampaignEdit},
};
use proptest::prelude::*;

use crate::support::{base::share, csv_of, office::Office, settings};

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
            // The contact's gates are judged by the claim already.
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
    at.with_timezone(&"America/New_York".parse::<dialdeck::domain::zone::Zone>().unwrap()).date_naive()
}

/// The campaign whose books are kept.
struct Kept {
    office: Office,
    campaign: CampaignId,
    settings: Settings,
}

impl Kept {
    async fn open() -> Self {
        let office = Office::open(|r| r.trunk_concurrent = LINES).await;
        let settings = Settings { daily_cap: 3, max_concurrent: 3, retry: RETRY, ..settings() };
        let (source, _) = office.import(csv_of(CONTACTS)).await;
        let campaign = office.started(source, |s| *s = settings.clone()).await;
        Self { office, campaign, settings }
    }

    async fn books(&self) -> Books {
        let rows = self.office.store.calls(self.campaign, &CallFilter::default(), 100, 0).await.unwrap().rows;
        let contact = |due| Contact { due: Some(due), rows: 1, ..Contact::default() };
        Books {
            cap: 3,
            running: true,
            used: BTreeMap::new(),
            live: Vec::new(),
            contacts: rows.into_iter().map(|r| (r.phone_number, contact(r.dialable_at))).collect(),
        }
    }

    async fn dial(&self, books: &mut Books) -> Result<(), TestCaseError> {
        // The trunk's rate is no subject here: a millisecond fills its bucket.
        self.office.clock.advance(self.office.clock.now() + TimeDelta::milliseconds(1));
        let now = self.office.clock.now();
        let mut claims = self.office.claims(self.campaign).await;
        let due = books.running && books.contacts.values().any(|c| c.due.is_some_and(|t| t <= now));
        let (claimed, away) = (claims.ready.pop(), claims.turned_away.pop());
        prop_assert_eq!(claimed.is_some() || away.is_some(), due, "something is due: {:?}", books);
        let Some(number) = claimed.as_ref().map(|c| c.number.clone()).or_else(|| away.as_ref().map(|a| a.number.clone())) else { return Ok(()) };
        prop_assert!(books.contacts[&number].due.is_some_and(|t| t <= now), "{} is not due: {:?}", number, books);
        let expected = books.expect(&number, now);
        let rows = self.office.store.calls(self.campaign, &CallFilter::default(), 1000, 0).await.unwrap().rows;
        let (call, claim) = rows.iter().find(|r| r.phone_number == number).map(|r| (r.id, r.claim_number)).unwrap();
        let got = match (claimed, away) {
            (None, Some(away)) => Expect::Gate(away.closed.gate.word()),
            (Some(claimed), _) => match self.office.arm(claimed).await {
                Ok(_) => Expect::Armed,
                Err(Refused::Gate(closed)) => Expect::Gate(closed.gate.word()),
                Err(Refused::Wait(_)) => Expect::Wait,
                Err(Refused::Lost) => Expect::Gate("lost"),
            },
            (None, None) => unreachable!(),
        };
        prop_assert_eq!(&got, &expected, "{} at {}: {:?}", number, now, books);
        if got == Expect::Wait {
            self.office.desk.release(call, claim, Some(now), "no line".into()).await.unwrap();
        }
        let contact = books.contacts.get_mut(&number).unwrap();
        if got == Expect::Armed {
            contact.due = None;
            contact.dials.push(now);
            books.live.push((call, number, day(now)));
            *books.used.entry(day(now)).or_default() += 1;
        } else {
            // When it is tried again is the gates' own affair, and tested with them.
            contact.due = Some(self.office.store.any_call(call).await.unwrap().unwrap().dialable_at);
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
        self.office.tell(call, "dial", Source::Dial, Kind::Reply(reply)).await;
        if how == How::Answered {
            let left = Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None };
            self.office.tell(call, "left", Source::Livekit, left).await;
        }
    }

    async fn set_cap(&mut self, cap: i64) {
        self.settings.daily_cap = cap;
        let edit = CampaignEdit {
            name: "Books".into(),
            assistant: self.office.assistant,
            prompt: "Hello {name}".into(),
            agent_name: None,
            settings: self.settings.clone(),
        };
        self.office.desk.edit_campaign(self.office.actor.clone(), self.campaign, edit).await.unwrap();
    }

    /// The books agree with the rows.
    async fn audit(&self, books: &Books) -> Result<(), TestCaseError> {
        for (day, used) in &books.used {
            let stored = self.office.store.campaign_day(self.campaign, *day).await.unwrap().map_or(0, |d| d.used);
            prop_assert_eq!(stored, *used, "used on {}: {:?}", day, books);
        }
        let row = self.office.store.campaign(self.office.actor.owner, self.campaign).await.unwrap().unwrap();
        let trunk = &self.office.store.trunks().await.unwrap()[0];
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
                    let call = books.end(i, how, self.office.clock.now());
                    self.end(call, how).await;
                }
                Op::End(..) => {}
                Op::Wait(minutes) => self.office.clock.advance(self.office.clock.now() + TimeDelta::minutes(minutes)),
                Op::Pause => books.running &= self.office.desk.pause(self.office.actor.clone(), self.campaign).await.is_err(),
                Op::Resume => books.running |= self.office.desk.resume(self.office.actor.clone(), self.campaign).await.is_ok(),
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
    #![proptest_config(ProptestConfig { cases: share(40, 6), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p3_p5_cap_lines_and_attempts_are_those_of_plain_books(ops in prop::collection::vec(op(), 20..90)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async { Kept::open().await.run(ops).await })?;
    }
}
