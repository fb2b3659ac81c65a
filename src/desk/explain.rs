//! "Why is nothing dialling?": the gate that the one decision names, in one sentence, with the next moment
//! it changes; and who of the contacts left waits for what. Serves the console's `w`, the API's status,
//! `campaign why` and the preflight.

use chrono::{DateTime, Utc};

use super::{Desk, DeskError, Hands, Preflight, campaigns::missing_fields};
use crate::{
    domain::{
        campaign::Status,
        dispatch::{self, Closed, Closes, Closure, Decision, Gate},
        legal, place,
        text::clean,
        zone::{self, Zone},
    },
    store::{CampaignRow, Setting},
};

/// The binding gate in words, and when it changes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Explanation {
    /// `open` when calls are being made.
    pub gate: String,
    pub message: String,
    pub until: Option<DateTime<Utc>>,
    /// What waits, and for what.
    #[serde(skip)]
    pub waiting: Waiting,
    /// All that is in the way, in the order of mending; the first is the gate.
    #[serde(skip)]
    pub obstacles: Vec<Closed>,
}

/// The contacts left: who may be called now, who later.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    pub dialable_now: i64,
    /// Due later, or where the law is closed.
    pub later: i64,
    pub zones: Vec<ZoneWait>,
    /// On the list, or flagged in the file.
    pub do_not_call: i64,
    /// Called as often as allowed, and not reached.
    pub exhausted: i64,
    /// Rows of the import that were refused.
    pub invalid: i64,
    /// Seconds of calling that are left, at the pace so far.
    pub calling_seconds: i64,
}

/// Contacts that wait for their zone to open.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ZoneWait {
    pub zones: String,
    pub waiting: i64,
    /// `None`: no hour suits all its zones, or the zone is unknown.
    pub opens: Option<DateTime<Utc>>,
    /// The law is open now.
    #[serde(skip)]
    pub lawful: bool,
    /// An operator has closed it.
    #[serde(skip)]
    pub closed: Option<Closure>,
}

impl Explanation {
    /// Calls are made: nothing is in the way but that all lines are in use, or the next dial is due in a moment.
    #[must_use]
    pub fn goes(&self) -> bool {
        self.obstacles.iter().all(|c| c.gate.closes() == Closes::Pace)
    }

    /// The whole story, a line each, on the clock of a zone: the gate, the counts, who waits where.
    #[must_use]
    pub fn lines(&self, zone: Zone, now: DateTime<Utc>) -> Vec<String> {
        let at = |t: DateTime<Utc>| t.with_timezone(&zone).format("%a %H:%M %Z").to_string();
        let w = &self.waiting;
        let mut lines = vec![self.message.clone()];
        lines.extend(self.until.map(|t| format!("changes at {}", at(t))));
        lines.push(format!(
            "{} can be called now by the law, {} later, {} on do-not-call, {} called as often as allowed, {} invalid; about {} of calling left",
            w.dialable_now,
            w.later,
            w.do_not_call,
            w.exhausted,
            w.invalid,
            calling(w.calling_seconds)
        ));
        lines.extend(w.zones.iter().map(|z| {
            let opens = match z.opens {
                None => "never: no hour suits".to_owned(),
                Some(t) if t <= now => "open now".to_owned(),
                Some(t) => format!("opens {}", at(t)),
            };
            format!("{:>7}  {}  {opens}", z.waiting, zone::label(&z.zones))
        }));
        lines
    }
}

/// A gate by its word, its words, and when it changes.
type Binding = (&'static str, String, Option<DateTime<Utc>>);

/// Contacts looked at for missing script fields before a start.
const SAMPLE: i64 = 5000;

/// An engine reports every few seconds; one that has not for so long is not there.
const SILENT: chrono::Duration = chrono::Duration::seconds(90);

/// A pace that lets calls pass again within this is no reason: calls are being made.
const MOMENT: chrono::Duration = chrono::Duration::seconds(10);

impl Desk {
    pub async fn explain(&self, row: &CampaignRow) -> Result<Explanation, DeskError> {
        let ((gate, message, until), obstacles) = self.in_the_way(row, true).await?;
        Ok(Explanation { gate: gate.to_owned(), message, until, waiting: self.waiting(row).await?, obstacles })
    }

    /// What the engine would decide now, from what is in the rows.
    pub(super) async fn binding(&self, row: &CampaignRow) -> Result<Binding, DeskError> {
        Ok(self.in_the_way(row, false).await?.0)
    }

    /// The gate that binds, and where that is asked for all that would bind after it.
    async fn in_the_way(&self, row: &CampaignRow, all: bool) -> Result<(Binding, Vec<Closed>), DeskError> {
        if row.manual && row.execution_status == Status::Idle {
            let words = "it is made of single calls: each is dialled when somebody asks for it".to_owned();
            return Ok(((Gate::State.word(), words, None), Vec::new()));
        }
        let mut installation = self.standing().await?;
        installation.unwell = self.unwell(row).await?.map(|words| (words, None));
        let no_agent = self.store.setting(Setting::CampaignNote(row.id)).await?.map(|words| (words, None));
        let mut look = self.decide(row, &installation, &Hands::default(), no_agent).await?;
        let closed = match look.decision {
            Decision::Wait(closed) | Decision::Ended(closed) => closed,
            Decision::Go { .. } => return Ok((going(look.board.campaign.brake), Vec::new())),
        };
        let passes = closed.gate.closes() == Closes::Pace && closed.until.is_some_and(|t| t - look.board.now < MOMENT);
        if passes && closed.gate != Gate::Queue {
            return Ok((going(look.board.campaign.brake), Vec::new()));
        }
        if !all {
            return Ok(((closed.gate.word(), closed.message, closed.until), Vec::new()));
        }
        if look.board.zones.is_empty() {
            look.board.zones = self.zones(row, &Hands::default(), look.board.now).await?;
        }
        let all = dispatch::obstacles(&self.rules, &look.board);
        Ok(((closed.gate.word(), closed.message, closed.until), all))
    }

    /// What keeps the engine from dialling a campaign that runs: what it said itself, or its silence.
    async fn unwell(&self, row: &CampaignRow) -> Result<Option<String>, DeskError> {
        if row.execution_status == Status::Running { self.no_engine().await } else { Ok(self.store.setting(Setting::EngineHealth).await?) }
    }

    /// What keeps every dial from being made: what the engine said itself, or its silence.
    pub(super) async fn no_engine(&self) -> Result<Option<String>, DeskError> {
        let said = self.store.setting(Setting::EngineHealth).await?;
        if said.is_some() {
            return Ok(said);
        }
        let engine = self.store.engine().await?;
        if engine.as_ref().is_some_and(|e| self.now() - e.heartbeat_at < SILENT) {
            return Ok(None);
        }
        let seen = engine
            .map_or_else(String::new, |e| format!(" (the one on {} was last seen at {})", clean(&e.host, 64), e.heartbeat_at.format("%Y-%m-%d %H:%M UTC")));
        Ok(Some(format!("no engine is running{seen}, so nothing is dialled: start `dialdeck` or `dialdeck serve` on the dialler host")))
    }

    async fn waiting(&self, row: &CampaignRow) -> Result<Waiting, DeskError> {
        let now = self.now();
        let source = match row.source_id() {
            Some(id) => self.store.source(row.user_id, id).await?,
            None => None,
        };
        let (contacts, flagged, invalid) = source.as_ref().map_or((0, 0, 0), |s| (s.contacts, s.do_not_call, s.invalid));
        let mut waiting = Waiting { do_not_call: flagged, invalid, ..Waiting::default() };
        let closures = self.closures().await?;
        for q in self.store.queues(row.id, now).await? {
            waiting.add(&self.queue(&q.zones, &closures, now), q.pending, q.due);
        }
        // Who has no row yet: everybody of a campaign that has not begun, the rest of one that fills.
        let after = match (row.execution_status, row.fill_position) {
            (Status::Idle, _) => Some(-1),
            (_, position) => position,
        };
        if let (Some(source), Some(after)) = (row.source_id(), after) {
            let places = self.store.unqueued_contacts(row.user_id, source, after).await?;
            if row.execution_status == Status::Idle {
                let callable: i64 = places.iter().map(|p| p.n).sum();
                waiting.do_not_call = contacts - callable;
            }
            for p in places {
                let key = legal::queue_key(&place::key_again(&p.number, p.said.as_deref(), &p.zones), &p.country, &p.number);
                waiting.add(&self.queue(&key, &closures, now), p.n, p.n);
            }
        }
        waiting.later = waiting.zones.iter().map(|z| z.waiting).sum::<i64>() - waiting.dialable_now;
        waiting.exhausted = self.store.exhausted(row.id, row.retry.0.max_attempts).await?;
        waiting.calling_seconds = calling_left(row, waiting.dialable_now + waiting.later);
        Ok(waiting)
    }

    /// When the contacts of one queue may be called.
    fn queue(&self, key: &str, closures: &[Closure], now: DateTime<Utc>) -> ZoneWait {
        let hours = self.openings.of(&self.rules, key, now, now);
        let closed = closures.iter().find(|c| c.holds_at(now) && zone::states_of(key).any(|p| c.covers(p)));
        // Where no law is known the rows end at their gate.
        let lawful = hours.awake && hours.opens.is_some() && closed.is_none();
        let clock = key.split(';').next().unwrap_or_default().to_owned();
        ZoneWait { zones: clock, waiting: 0, opens: closed.map_or(hours.opens, |c| c.until), lawful, closed: closed.cloned() }
    }

    /// What a start finds, in one look.
    pub async fn preflight(&self, row: &CampaignRow) -> Result<Preflight, DeskError> {
        let (source, sample) = match row.source_id() {
            Some(id) => (self.store.source(row.user_id, id).await?, self.store.sample_contacts(id, SAMPLE).await?),
            None => (None, Vec::new()),
        };
        let (missing, without) = missing_fields(row.script(), &sample);
        let why = self.explain(row).await?;
        Ok(Preflight {
            contacts: source.as_ref().map_or(0, |s| s.contacts),
            do_not_call: why.waiting.do_not_call,
            missing_fields: missing,
            contacts_without_fields: without,
            // An engine may have taken some already.
            dialable_now: why.waiting.dialable_now + row.counts.processing,
            waiting_until: why.until,
            why: why.message,
        })
    }
}

impl Waiting {
    /// Contacts of a queue, and how many of them are due. Queues of the same clock that open together are one line.
    fn add(&mut self, queue: &ZoneWait, waiting: i64, due: i64) {
        self.dialable_now += if queue.lawful { due } else { 0 };
        match self.zones.iter_mut().find(|z| z.zones == queue.zones && z.opens == queue.opens && z.closed == queue.closed) {
            Some(z) => z.waiting += waiting,
            None => self.zones.push(ZoneWait { waiting, ..queue.clone() }),
        }
    }
}

/// `9 min`, `4 h 10 min`.
#[must_use]
pub fn calling(seconds: i64) -> String {
    match (seconds / 3600, (seconds + 59) / 60 % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

/// Calls are being made; one at a time where the brake is on.
fn going(brake: Option<String>) -> (&'static str, String, Option<DateTime<Utc>>) {
    match brake {
        Some(words) => (Gate::Brake.word(), words, None),
        None => (Gate::Queue.word(), "calls are being made".to_owned(), None),
    }
}

/// How long the calls left take while calling is open: by the delay between them, or by how long
/// calls have lasted so far and how many go at once.
fn calling_left(row: &CampaignRow, left: i64) -> i64 {
    /// Ringing, or a call nobody has data of yet; seconds.
    const RING: i64 = 15;
    const UNKNOWN: i64 = 45;
    let c = &row.counts;
    let each = if c.dials >= 20 { c.talk_seconds / c.dials + RING } else { UNKNOWN };
    let by_lines = each * 1000 / row.max_concurrent.max(1);
    left.saturating_mul(by_lines.max(row.call_delay_ms)) / 1000
}
