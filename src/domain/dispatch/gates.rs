//! The gates. Each says its **scope**, which is whom it closes, and what it **closes**: for good, until a
//! moment, or only the pace. A new gate is a variant with its line in [`Gate::traits`] and a judgement in
//! the function of its scope here, and the fact it looks at where the store reads them.

use crate::domain::zone::Zone;
use chrono::{DateTime, Duration, Utc};

use crate::domain::{
    Refusal,
    campaign::Status,
    rules::{Profile, Rules},
    schedule::{self, Window},
};

/// Whom a gate closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Installation,
    Campaign,
    Trunk,
    Contact,
}

/// What opens a gate again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closes {
    /// No time does: a contact's row ends, a campaign cannot go on.
    ForGood,
    /// A moment, known or not.
    Until,
    /// The next free line or second: who is prepared waits for it.
    Pace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gate {
    KillSwitch,
    Terms,
    /// `LiveKit`, its SIP service, the host's clock or the database is not well.
    Engine,
    /// The campaign's state, or its settings were changed since the call was claimed.
    State,
    /// Nothing is left to do.
    Done,
    /// The assistant has no number with an outbound trunk.
    Trunk,
    Script,
    NationalList,
    Hours,
    DailyCap,
    /// No agent worker takes the campaign's calls.
    Agent,
    /// Too many found no agent: one call at a time.
    Brake,
    Concurrency,
    CallDelay,
    /// Everybody left is being called, or the queue is being filled.
    Queue,
    TrunkLines,
    TrunkRate,
    HangUp,
    Number,
    Country,
    DoNotCall,
    Consent,
    /// The number's time zone is unknown.
    ContactZone,
    /// No hour suits the law of the place in every zone the number may be in.
    NoHour,
    ContactHours,
    /// The table knows no law of the country, and no setting opens it.
    NoLaw,
    /// An operator has closed the place.
    PlaceClosed,
    Attempts24h,
    /// Called as often as the law of the place allows in its days.
    Frequency,
    /// Who talked to us a short while ago, or said no, is left alone.
    Rest,
    /// Somebody said that the number is not the contact's.
    WrongNumber,
    NumberBusy,
    /// Not due yet: the next attempt, or a callback.
    Retry,
}

impl Gate {
    /// The word on the wire, whom it closes, and what opens it.
    fn traits(self) -> (&'static str, Scope, Closes) {
        use Closes::{ForGood, Pace, Until};
        use Scope::{Campaign, Contact, Installation, Trunk};
        match self {
            Self::KillSwitch => ("kill_switch", Installation, Until),
            Self::Terms => ("terms", Installation, Until),
            Self::Engine => ("engine", Installation, Until),
            Self::State => ("state", Campaign, Until),
            Self::Done => ("done", Campaign, ForGood),
            Self::Trunk => ("trunk", Campaign, ForGood),
            Self::Script => ("script", Campaign, ForGood),
            Self::NationalList => ("national_list", Campaign, Until),
            Self::Hours => ("hours", Campaign, Until),
            Self::DailyCap => ("daily_cap", Campaign, Until),
            Self::Agent => ("agent", Campaign, Until),
            Self::Brake => ("brake", Campaign, Pace),
            Self::Concurrency => ("concurrency", Campaign, Pace),
            Self::CallDelay => ("call_delay", Campaign, Pace),
            Self::Queue => ("open", Campaign, Pace),
            Self::TrunkLines => ("trunk_concurrency", Trunk, Pace),
            Self::TrunkRate => ("trunk_rate", Trunk, Pace),
            Self::HangUp => ("hangup", Contact, ForGood),
            Self::Number => ("number", Contact, ForGood),
            Self::Country => ("country", Contact, ForGood),
            Self::DoNotCall => ("do_not_call", Contact, ForGood),
            Self::Consent => ("consent", Contact, ForGood),
            Self::ContactZone => ("contact_zone", Contact, ForGood),
            Self::NoHour => ("contact_hours", Contact, ForGood),
            Self::ContactHours => ("contact_hours", Contact, Until),
            Self::NoLaw => ("law", Contact, ForGood),
            Self::PlaceClosed => ("place_closed", Contact, Until),
            Self::Attempts24h => ("attempts_24h", Contact, Until),
            Self::Frequency => ("frequency", Contact, Until),
            Self::Rest => ("rest", Contact, Until),
            Self::WrongNumber => ("wrong_number", Contact, ForGood),
            Self::NumberBusy => ("number_busy", Contact, Until),
            Self::Retry => ("retry", Contact, Until),
        }
    }

    const ALL: [Self; 33] = [
        Self::KillSwitch,
        Self::Terms,
        Self::Engine,
        Self::State,
        Self::Done,
        Self::Trunk,
        Self::Script,
        Self::NationalList,
        Self::Hours,
        Self::DailyCap,
        Self::Agent,
        Self::Brake,
        Self::Concurrency,
        Self::CallDelay,
        Self::Queue,
        Self::TrunkLines,
        Self::TrunkRate,
        Self::HangUp,
        Self::Number,
        Self::Country,
        Self::DoNotCall,
        Self::Consent,
        Self::ContactZone,
        Self::NoHour,
        Self::ContactHours,
        Self::NoLaw,
        Self::PlaceClosed,
        Self::Attempts24h,
        Self::Frequency,
        Self::Rest,
        Self::WrongNumber,
        Self::NumberBusy,
        Self::Retry,
    ];

    /// The gate of a word on the wire.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.word() == word)
    }

    #[must_use]
    pub fn word(self) -> &'static str {
        self.traits().0
    }

    #[must_use]
    pub fn scope(self) -> Scope {
        self.traits().1
    }

    #[must_use]
    pub fn closes(self) -> Closes {
        self.traits().2
    }
}

/// A gate that is closed, in words, and when it may be open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Closed {
    pub gate: Gate,
    pub message: String,
    pub until: Option<DateTime<Utc>>,
}

impl Closed {
    pub fn new(gate: Gate, message: impl Into<String>) -> Self {
        Self { gate, message: message.into(), until: None }
    }

    #[must_use]
    pub fn until(self, until: impl Into<Option<DateTime<Utc>>>) -> Self {
        Self { until: until.into(), ..self }
    }
}

impl From<Closed> for Refusal {
    fn from(c: Closed) -> Self {
        Self { gate: c.gate.word(), message: c.message, until: c.until }
    }
}

pub(super) fn close(gate: Gate, message: impl Into<String>) -> Result<(), Closed> {
    Err(Closed::new(gate, message))
}

pub(super) fn close_until(gate: Gate, until: impl Into<Option<DateTime<Utc>>>, message: impl Into<String>) -> Result<(), Closed> {
    Err(Closed::new(gate, message).until(until))
}

/// Facts that are one for everybody.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InstallationFacts {
    /// On, with our own reason where we turned it on ourselves.
    pub kill_switch: Option<String>,
    /// Real phones are behind it and nobody has accepted the terms.
    pub terms_missing: bool,
    /// What is not well, in words, and when it is looked at again.
    pub unwell: Option<(String, Option<DateTime<Utc>>)>,
}

pub const WITHOUT_TERMS: &str = "the terms are not accepted yet: start a campaign in the console, or `dialdeck terms show` and \
    `dialdeck terms accept --name NAME` (or POST /terms)";

/// # Errors
/// The first gate of the installation that is closed.
pub fn installation(f: &InstallationFacts) -> Result<(), Closed> {
    if let Some(reason) = &f.kill_switch {
        let words = if reason.is_empty() { "the kill switch is on: nothing is dialled on any host" } else { reason };
        return close(Gate::KillSwitch, words);
    }
    if f.terms_missing {
        return close(Gate::Terms, WITHOUT_TERMS);
    }
    match &f.unwell {
        Some((words, until)) => close_until(Gate::Engine, *until, words.clone()),
        None => Ok(()),
    }
}

/// The campaign's side of a dial.
#[derive(Debug, Clone)]
pub struct CampaignFacts {
    pub status: Status,
    pub status_reason: String,
    pub has_script: bool,
    /// Of when the owner's national do-not-call list is that was loaded last.
    pub national_list_at: Option<DateTime<Utc>>,
    pub window: Window,
    pub zone: Zone,
    /// Dials of the campaign's local day, and how many it may make.
    pub used_today: i64,
    pub daily_cap: i64,
    /// Calls on the line: armed to answered.
    pub live: i64,
    /// Calls claimed and being prepared, as far as who asks knows.
    pub preparing: i64,
    pub max_concurrent: i64,
    /// Why it makes one call at a time, in words.
    pub brake: Option<String>,
    pub call_delay_ms: i64,
    /// Earliest moment of the next dial by the call delay.
    pub next_call_at: Option<DateTime<Utc>>,
    /// No agent worker: the words, and when one is tried again.
    pub no_agent: Option<(String, Option<DateTime<Utc>>)>,
    /// Rows in the queue, and rows that are being called.
    pub pending: i64,
    pub processing: i64,
    /// More rows are still to be made.
    pub filling: bool,
    /// It is a call that somebody asked for: it needs no campaign that runs.
    pub by_hand: bool,
}

impl CampaignFacts {
    pub(super) fn lines(&self) -> i64 {
        if self.brake.is_some() { 1 } else { self.max_concurrent }
    }
}

/// A national list must be no older when the profile asks for one.
const LIST_AGE: Duration = Duration::days(31);

/// How the reason of a stop begins.
const STOPPED: &str = "stopped";

/// The state of a campaign, with the way to running.
pub(super) fn state(c: &CampaignFacts) -> Result<(), Closed> {
    let way = match c.status {
        Status::Running => return Ok(()),
        Status::Idle | Status::Paused | Status::Completed if c.by_hand => return Ok(()),
        Status::Idle => ". Start it",
        Status::Paused => ". Resume it",
        Status::Error => ". Mend it and start it again",
        Status::Completed if c.status_reason.starts_with(STOPPED) => ". A new start calls whoever is left",
        Status::Completed => "",
    };
    let word = if c.status_reason.starts_with(STOPPED) { STOPPED } else { c.status.as_str() };
    let words = match c.status_reason.as_str() {
        "" => word.to_owned(),
        // "paused by Ana" says it already.
        reason if reason.starts_with(word) => reason.to_owned(),
        reason => format!("{word}: {reason}"),
    };
    close(Gate::State, format!("the campaign is {words}{way}"))
}

fn national_list(rules: &Rules, at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<(), Closed> {
    if rules.profile != Profile::Us {
        return Ok(());
    }
    let words = match at {
        Some(at) if now - at <= LIST_AGE => return Ok(()),
        Some(at) => format!("the national do-not-call list is of {}: load a newer one with `dialdeck dnc import --national`", at.date_naive()),
        None => "no national do-not-call list was loaded: `dialdeck dnc import --national`".to_owned(),
    };
    close(Gate::NationalList, words)
}

/// Gates of the campaign, but its pace.
///
/// # Errors
/// The first that is closed.
pub fn campaign(rules: &Rules, c: &CampaignFacts, now: DateTime<Utc>) -> Result<(), Closed> {
    state(c)?;
    if !c.has_script {
        return close(Gate::Script, "the campaign has no script: give it one, or give its assistant a prompt");
    }
    national_list(rules, c.national_list_at, now)?;
    if !c.window.is_open(c.zone, now) {
        return close_until(Gate::Hours, c.window.next_open(c.zone, now), format!("outside {} {}", c.window.label(), c.zone.name()));
    }
    if c.used_today >= c.daily_cap {
        let until = c.window.next_open(c.zone, schedule::next_day(c.zone, now));
        return close_until(Gate::DailyCap, until, format!("daily cap of {} reached", c.daily_cap));
    }
    match &c.no_agent {
        Some((words, until)) => close_until(Gate::Agent, *until, words.clone()),
        None => Ok(()),
    }
}

/// The campaign's pace: its own lines and the delay between its calls.
///
/// # Errors
/// The first gate that is closed.
pub fn campaign_pace(c: &CampaignFacts, now: DateTime<Utc>) -> Result<(), Closed> {
    if c.live >= c.lines() {
        return match &c.brake {
            Some(words) => close(Gate::Brake, words.clone()),
            None => close(Gate::Concurrency, format!("{} of {} calls are live", c.live, c.max_concurrent)),
        };
    }
    match c.next_call_at.filter(|t| *t > now) {
        Some(next) => close_until(Gate::CallDelay, next, "waiting the delay between calls"),
        None => Ok(()),
    }
}

/// The trunk's side of a dial.
#[derive(Debug, Clone, PartialEq)]
pub struct TrunkFacts {
    pub live: i64,
    pub max_live: i64,
    /// Calls of any campaign that are being prepared for it, as far as who asks knows.
    pub preparing: i64,
    /// Tokens of the calls-per-second bucket at `refilled_at`.
    pub tokens: f64,
    pub refilled_at: DateTime<Utc>,
    pub calls_per_second: f64,
    /// Where its own numbers are.
    pub countries: Vec<String>,
}

impl TrunkFacts {
    /// Tokens now: one second's worth at most, at least one.
    #[must_use]
    pub fn tokens_at(&self, now: DateTime<Utc>) -> f64 {
        let elapsed = (now - self.refilled_at).num_milliseconds();
        // A clock that was ahead wrote it: the bucket must not stand still until that moment comes.
        let elapsed = if elapsed < -1000 { 1000 } else { elapsed.max(0) };
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of an idle trunk; precision beyond 2^52 ms is no matter")]
        let refill = elapsed as f64 / 1000.0 * self.calls_per_second;
        (self.tokens + refill).min(self.calls_per_second.max(1.0))
    }

    /// When there is a token for one more dial.
    pub(super) fn token_due(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let missing = 1.0 - self.tokens_at(now);
        #[expect(clippy::cast_possible_truncation, reason = "below a few tokens at a positive rate: small")]
        let wait = (missing / self.calls_per_second.max(0.001) * 1000.0).ceil().min(3_600_000.0) as i64;
        (missing > 0.0).then(|| now + Duration::milliseconds(wait))
    }
}

const NO_TRUNK: &str = "the assistant has no number with an outbound trunk: assign it one with `dialdeck number assign`";

/// Gates of the trunk: whether there is one, its lines and its calls per second.
///
/// # Errors
/// The first that is closed.
pub fn trunk(t: Option<&TrunkFacts>, now: DateTime<Utc>) -> Result<(), Closed> {
    let Some(t) = t else { return close(Gate::Trunk, NO_TRUNK) };
    if t.live >= t.max_live {
        return close(Gate::TrunkLines, format!("{} of {} lines of the trunk are in use", t.live, t.max_live));
    }
    match t.token_due(now) {
        Some(due) => close_until(Gate::TrunkRate, due, format!("the trunk takes {} calls a second", t.calls_per_second)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trunk_bucket_refills() {
        let now: DateTime<Utc> = "2026-11-20T17:00:00Z".parse().unwrap();
        let t = TrunkFacts { live: 0, max_live: 10, preparing: 0, tokens: 0.0, refilled_at: now, calls_per_second: 2.0, countries: Vec::new() };
        assert_eq!(trunk(Some(&t), now).unwrap_err().until, Some(now + Duration::milliseconds(500)));
        assert!(trunk(Some(&t), now + Duration::milliseconds(500)).is_ok());
        assert!((t.tokens_at(now + Duration::hours(1)) - 2.0).abs() < 1e-9, "no hoard");
        assert_eq!(trunk(Some(&TrunkFacts { live: 10, ..t }), now).unwrap_err().gate, Gate::TrunkLines);
    }
}
