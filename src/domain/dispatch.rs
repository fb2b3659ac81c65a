//! May this call go, who is next, and why not: every gate between a contact and a dial, and the one
//! decision over them. The scheduler, the claim, the arm transaction, the preflight, "why" and the
//! screens ask here; nothing else lists gates.
//!
//! A gate says its **scope**, which is whom it closes, and what it **closes**: for good, until a moment,
//! or only the pace. A new gate is a variant with its line in [`Gate::traits`] and a judgement in the
//! function of its scope, and the fact it looks at.

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;

use super::{
    Refusal,
    campaign::Status,
    legal, pacing,
    phone::PhoneNumber,
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
    Attempts24h,
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
            Self::Attempts24h => ("attempts_24h", Contact, Until),
            Self::NumberBusy => ("number_busy", Contact, Until),
            Self::Retry => ("retry", Contact, Until),
        }
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

fn close(gate: Gate, message: impl Into<String>) -> Result<(), Closed> {
    Err(Closed::new(gate, message))
}

fn close_until(gate: Gate, until: impl Into<Option<DateTime<Utc>>>, message: impl Into<String>) -> Result<(), Closed> {
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
    pub zone: Tz,
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
}

impl CampaignFacts {
    fn lines(&self) -> i64 {
        if self.brake.is_some() { 1 } else { self.max_concurrent }
    }
}

/// A national list must be no older when the profile asks for one.
const LIST_AGE: Duration = Duration::days(31);

/// The state of a campaign, with the way to running.
fn state(c: &CampaignFacts) -> Result<(), Closed> {
    let way = match c.status {
        Status::Running => return Ok(()),
        Status::Idle => ". s starts it",
        Status::Paused => ". p resumes it",
        Status::Error => ". Mend it and start it again",
        Status::Completed => "",
    };
    let reason = if c.status_reason.is_empty() { String::new() } else { format!(": {}", c.status_reason) };
    close(Gate::State, format!("the campaign is {}{reason}{way}", c.status.as_str()))
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
        let elapsed = (now - self.refilled_at).num_milliseconds().max(0);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of an idle trunk; precision beyond 2^52 ms is no matter")]
        let refill = elapsed as f64 / 1000.0 * self.calls_per_second;
        (self.tokens + refill).min(self.calls_per_second.max(1.0))
    }

    /// When there is a token for one more dial.
    fn token_due(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let missing = 1.0 - self.tokens_at(now);
        #[expect(clippy::cast_possible_truncation, reason = "below a few tokens at a positive rate: small")]
        let wait = (missing / self.calls_per_second.max(0.001) * 1000.0).ceil() as i64;
        (missing > 0.0).then(|| now + Duration::milliseconds(wait))
    }
}

const NO_TRUNK: &str = "the assistant has no number with an outbound trunk: assign one with `dialdeck number assign`, then start the campaign again";

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

/// The contact's side of a dial.
#[derive(Debug, Clone)]
pub struct ContactFacts<'a> {
    pub place: Place<'a>,
    /// Countries of the trunk's own numbers: what may be called where the configuration names none.
    pub trunk_countries: &'a [String],
    pub on_do_not_call: bool,
    /// When the contact agreed to be called.
    pub consent_at: Option<DateTime<Utc>>,
    /// Dials of this number in the last 24 h over all campaigns, and when the oldest was.
    pub dials_24h: i64,
    pub oldest_24h: Option<DateTime<Utc>>,
    /// Another call to the number is live, or until when one is unproven.
    pub number_live: bool,
    pub number_held_until: Option<DateTime<Utc>>,
}

/// Where a number is, as far as its digits tell.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    pub number: &'a str,
    pub country: &'a str,
    /// Candidate zones; `None` when unknown.
    pub zones: Option<&'a [Tz]>,
}

/// A number that is on a call is looked at again after this: nobody wants to be rung right after it.
const BUSY: Duration = Duration::seconds(60);

/// The kind of a number: what was valid when it was imported may not be by today's numbering plan.
fn number(text: &str) -> Result<(), Closed> {
    PhoneNumber::parse(text, None).map(drop).or_else(|e| close(Gate::Number, e.to_string()))
}

fn laws(rules: &Rules, place: &Place<'_>) -> Vec<&'static legal::Law> {
    if rules.profile == Profile::None { Vec::new() } else { legal::of(place.country, place.number, rules.profile == Profile::Us) }
}

/// The law of the place at this moment, in every zone the number may be in.
///
/// # Errors
/// When a law is closed, or the zone is unknown.
pub fn legal_hours(rules: &Rules, place: &Place<'_>, now: DateTime<Utc>) -> Result<(), Closed> {
    if rules.profile == Profile::None {
        return Ok(());
    }
    let Some(zones) = place.zones else {
        return close(Gate::ContactZone, "the number's time zone is unknown: give the contact a timezone");
    };
    legal::open_in_all(&laws(rules, place), zones, now).or_else(|(law, until)| {
        let words = format!("outside {} on the contact's clock", law.label());
        match until {
            Some(until) => close_until(Gate::ContactHours, until, words),
            None => close(Gate::NoHour, words),
        }
    })
}

/// Gates of the contact: judged before an agent is called, and again when the call is armed.
///
/// # Errors
/// The first that is closed.
pub fn contact(rules: &Rules, c: &ContactFacts<'_>, now: DateTime<Utc>) -> Result<(), Closed> {
    number(c.place.number)?;
    let country = c.place.country;
    let allowed = if rules.countries.is_empty() { c.trunk_countries } else { &rules.countries };
    if !allowed.iter().any(|a| a == country) {
        let allowed = allowed.join(", ");
        return close(Gate::Country, format!("country {country} is not allowed (allowed: {allowed}); [compliance] countries names more"));
    }
    if c.on_do_not_call {
        return close(Gate::DoNotCall, "the number is on the do-not-call list");
    }
    if rules.profile == Profile::Us && c.consent_at.is_none_or(|t| t > now) {
        return close(Gate::Consent, "no consent is recorded for the contact: import it with a column consent_at");
    }
    legal_hours(rules, &c.place, now)?;
    let most = laws(rules, &c.place).iter().filter_map(|l| l.calls_24h).chain([rules.attempts_per_24h]).min().unwrap_or(rules.attempts_per_24h);
    if c.dials_24h >= most {
        let until = c.oldest_24h.map(|t| t + Duration::hours(24));
        return close_until(Gate::Attempts24h, until, format!("the number was called {} times in 24 hours", c.dials_24h));
    }
    let held = c.number_held_until.filter(|t| *t > now);
    if c.number_live || held.is_some() {
        return close_until(Gate::NumberBusy, held.unwrap_or(now + BUSY), "number busy: another call to it is live or unproven");
    }
    Ok(())
}

/// The head of one zone's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneFacts {
    /// The zones as stored with the contacts.
    pub key: String,
    /// When its first row is due.
    pub due: DateTime<Utc>,
    /// When the first row is due that was promised to a contact.
    pub promised: Option<DateTime<Utc>>,
    /// When the widest law of its zones is open, from its first due moment on; `None`: never, or unknown.
    pub opens: Option<DateTime<Utc>>,
    /// The law is open now, or says nothing of it.
    pub awake: bool,
    /// When it closes, where it is open.
    pub closes: Option<DateTime<Utc>>,
    /// When a row of it was claimed last, as far as who asks knows.
    pub served: Option<DateTime<Utc>>,
}

impl ZoneFacts {
    fn promise_due(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.promised.filter(|t| *t <= now)
    }

    /// The first moment at which one of its rows may be called.
    fn first(&self) -> DateTime<Utc> {
        self.opens.unwrap_or(self.due)
    }

    /// Open and due now. An unknown zone is too: the contact gates end its rows with the reason.
    fn is_ready(&self, now: DateTime<Utc>) -> bool {
        self.due <= now && self.opens.is_none_or(|t| t <= now)
    }

    /// How urgently it wants its next turn: how long it has waited, against how long it is open yet.
    /// It grows without bound, so no zone waits for another's end; the one that closes first is served
    /// more often.
    fn urgency(&self, now: DateTime<Utc>) -> f64 {
        const DAY: Duration = Duration::hours(24);
        let waited = self.served.map_or(DAY, |t| now - t).max(Duration::milliseconds(1));
        let left = self.closes.map_or(DAY, |t| t - now).clamp(Duration::minutes(1), DAY);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of days")]
        let share = waited.num_milliseconds() as f64 / left.num_milliseconds() as f64;
        share
    }
}

/// Everything the decision looks at, of one campaign.
#[derive(Debug, Clone)]
pub struct Board {
    pub now: DateTime<Utc>,
    pub installation: InstallationFacts,
    pub campaign: CampaignFacts,
    pub trunk: Option<TrunkFacts>,
    /// Not read while an earlier gate is closed.
    pub zones: Vec<ZoneFacts>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Claim so many, of these zones in this order; one that was promised may be due.
    Go { zones: Vec<String>, n: usize, promised: bool },
    /// Nothing now: this gate is closed.
    Wait(Closed),
    /// The campaign is done, or cannot go on.
    Ended(Closed),
}

/// Every gate that closes the campaign, whoever of its contacts is next.
///
/// # Errors
/// The first that is closed.
pub fn before_queue(rules: &Rules, b: &Board) -> Result<(), Closed> {
    installation(&b.installation)?;
    let c = &b.campaign;
    if c.status == Status::Running && !c.filling && c.pending + c.processing == 0 {
        return close(Gate::Done, "everybody was called");
    }
    state(c)?;
    if b.trunk.is_none() {
        return trunk(None, b.now);
    }
    campaign(rules, c, b.now)?;
    campaign_pace(&CampaignFacts { next_call_at: None, ..c.clone() }, b.now)?;
    match trunk(b.trunk.as_ref(), b.now) {
        // A moment's pace is no reason to wait: preparing takes longer.
        Err(c) if c.gate == Gate::TrunkRate => Ok(()),
        other => other,
    }
}

/// The one decision: go, and with whom; or which gate is closed, and until when.
#[must_use]
pub fn decide(rules: &Rules, b: &Board) -> Decision {
    if let Err(closed) = before_queue(rules, b) {
        let ended = closed.gate.closes() == Closes::ForGood;
        return if ended { Decision::Ended(closed) } else { Decision::Wait(closed) };
    }
    let mut ready: Vec<&ZoneFacts> = b.zones.iter().filter(|z| z.is_ready(b.now)).collect();
    if ready.is_empty() {
        return Decision::Wait(waiting_zones(rules, b));
    }
    match room(b) {
        Err(closed) => Decision::Wait(closed),
        Ok(n) => {
            let promise = |z: &ZoneFacts| z.promise_due(b.now).map_or((1, DateTime::<Utc>::MAX_UTC), |t| (0, t));
            ready.sort_by(|x, y| promise(x).cmp(&promise(y)).then(y.urgency(b.now).total_cmp(&x.urgency(b.now))).then(x.due.cmp(&y.due)));
            let promised = ready.first().is_some_and(|z| z.promise_due(b.now).is_some());
            Decision::Go { promised, zones: ready.into_iter().map(|z| z.key.clone()).collect(), n }
        }
    }
}

/// How many calls may be begun: as many as the campaign's lines, its cap, its delay, and the trunk's
/// lines and rate have room for beside those that are being prepared.
fn room(b: &Board) -> Result<usize, Closed> {
    let c = &b.campaign;
    let own = c.lines() - c.live - c.preparing;
    if own <= 0 {
        return Err(Closed::new(Gate::Concurrency, "every line of the campaign has a call or one that is being prepared"));
    }
    let cap = c.daily_cap - c.used_today - c.preparing;
    if cap <= 0 {
        return Err(Closed::new(Gate::DailyCap, "the calls being prepared are the last of the daily cap"));
    }
    let trunk = b.trunk.as_ref().map_or(Ok(i64::MAX), |t| trunk_room(t, b.now))?;
    pacing::turns(b.now, own.min(cap).min(trunk), c.preparing, c.call_delay_ms, c.next_call_at)
        .map_err(|at| Closed::new(Gate::CallDelay, "waiting the delay between calls").until(at))
}

/// How many calls may be prepared for a trunk: never more than it has lines, nor so many that they
/// would wait long for its rate with an agent in the room.
fn trunk_room(t: &TrunkFacts, now: DateTime<Utc>) -> Result<i64, Closed> {
    let lines = t.max_live - t.live - t.preparing;
    if lines <= 0 {
        return Err(Closed::new(Gate::TrunkLines, "every line of the trunk has a call or one that is being prepared"));
    }
    pacing::tokens_ahead(t.tokens_at(now), t.calls_per_second, t.preparing, now)
        .map(|tokens| tokens.min(lines))
        .map_err(|at| Closed::new(Gate::TrunkRate, "the trunk's calls per second are spoken for").until(at))
}

/// Why no zone is ready: who is due when, and where the law is open when.
fn waiting_zones(rules: &Rules, b: &Board) -> Closed {
    let c = &b.campaign;
    let Some(zone) = b.zones.iter().min_by_key(|z| z.first()) else {
        return match (c.processing, c.filling) {
            (_, true) => Closed::new(Gate::Queue, "the queue is being filled").until(b.now),
            (1, false) => Closed::new(Gate::Queue, "the last call is being made"),
            (n, false) => Closed::new(Gate::Queue, format!("the last {n} calls are being made")),
        };
    };
    if zone.due > b.now && zone.awake {
        return Closed::new(Gate::Retry, "all contacts left are to be tried again later").until(zone.first());
    }
    let window = rules.profile.contact_window().map(|w| w.label()).unwrap_or_default();
    let words = format!("outside {window} on the clock of the contacts left ({})", super::zone::label(&zone.key));
    Closed::new(Gate::ContactHours, words).until(zone.first())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schedule::Days;
    use proptest::prelude::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn facts<'a>(zones: Option<&'a [Tz]>, us: &'a [String]) -> ContactFacts<'a> {
        ContactFacts {
            place: Place { number: "+12125550142", country: "US", zones },
            trunk_countries: us,
            on_do_not_call: false,
            consent_at: None,
            dials_24h: 0,
            oldest_24h: None,
            number_live: false,
            number_held_until: None,
        }
    }

    fn gate(r: Result<(), Closed>) -> &'static str {
        r.map_or_else(|e| e.gate.word(), |()| "open")
    }

    /// A Friday noon in New York.
    fn noon() -> DateTime<Utc> {
        utc("2026-11-20T17:00:00Z")
    }

    fn zone(key: &str, due: i64) -> ZoneFacts {
        let due = noon() + Duration::minutes(due);
        ZoneFacts {
            key: key.to_owned(),
            due,
            promised: None,
            opens: Some(due.max(noon())),
            awake: true,
            closes: Some(noon() + Duration::hours(9)),
            served: None,
        }
    }

    fn board(zones: Vec<ZoneFacts>) -> Board {
        let campaign = CampaignFacts {
            status: Status::Running,
            status_reason: String::new(),
            has_script: true,
            national_list_at: None,
            window: Window::daily(9, 17),
            zone: Tz::America__New_York,
            used_today: 0,
            daily_cap: 100,
            live: 0,
            preparing: 0,
            max_concurrent: 5,
            brake: None,
            call_delay_ms: 0,
            next_call_at: None,
            no_agent: None,
            pending: 30,
            processing: 0,
            filling: false,
        };
        let trunk = TrunkFacts { live: 0, max_live: 10, preparing: 0, tokens: 1.0, refilled_at: noon(), calls_per_second: 1.0, countries: vec!["US".into()] };
        Board { now: noon(), installation: InstallationFacts::default(), campaign, trunk: Some(trunk), zones }
    }

    /// The gate that is closed, or how many may go.
    fn decided(b: &Board) -> (&'static str, usize) {
        match decide(&Rules::default(), b) {
            Decision::Go { n, .. } => ("go", n),
            Decision::Wait(c) | Decision::Ended(c) => (c.gate.word(), 0),
        }
    }

    #[test]
    fn every_gate_that_closes_the_campaign_in_order() {
        let one = || board(vec![zone("America/New_York", 0)]);
        let with = |change: &dyn Fn(&mut Board)| {
            let mut b = one();
            change(&mut b);
            decided(&b)
        };
        assert_eq!(decided(&one()), ("go", 5));
        assert_eq!(with(&|b| b.installation.kill_switch = Some(String::new())).0, "kill_switch");
        assert_eq!(with(&|b| b.installation.terms_missing = true).0, "terms");
        assert_eq!(with(&|b| b.installation.unwell = Some(("LiveKit is away".into(), None))).0, "engine");
        assert_eq!(with(&|b| b.campaign.status = Status::Paused).0, "state");
        assert_eq!(with(&|b| b.trunk = None).0, "trunk");
        assert_eq!(with(&|b| b.campaign.has_script = false).0, "script");
        assert_eq!(with(&|b| b.campaign.window = Window::daily(13, 17)).0, "hours");
        assert_eq!(with(&|b| b.campaign.used_today = 100).0, "daily_cap");
        assert_eq!(with(&|b| b.campaign.no_agent = Some(("none".into(), None))).0, "agent");
        assert_eq!(with(&|b| b.campaign.live = 5).0, "concurrency");
        assert_eq!(with(&|b| (b.campaign.live, b.campaign.brake) = (1, Some("brake".into()))).0, "brake");
        assert_eq!(with(&|b| b.trunk.as_mut().unwrap().live = 10).0, "trunk_concurrency");
        assert_eq!(with(&|b| b.zones[0].due = noon() + Duration::hours(1)).0, "retry");
        let pending_none = with(&|b| (b.campaign.pending, b.zones) = (0, Vec::new()));
        assert_eq!(pending_none.0, "done");
        assert_eq!(with(&|b| (b.campaign.pending, b.campaign.processing, b.zones) = (0, 3, Vec::new())).0, "open");
    }

    #[test]
    fn what_cannot_go_on_ends_and_all_else_waits() {
        let rules = Rules::default();
        let mut b = board(vec![zone("America/New_York", 0)]);
        b.trunk = None;
        assert!(matches!(decide(&rules, &b), Decision::Ended(c) if c.gate == Gate::Trunk));
        let careful = Rules { profile: Profile::Us, ..Rules::default() };
        let mut b = board(vec![zone("America/New_York", 0)]);
        assert!(matches!(decide(&careful, &b), Decision::Wait(c) if c.gate == Gate::NationalList));
        b.campaign.national_list_at = Some(noon() - Duration::days(32));
        assert!(matches!(decide(&careful, &b), Decision::Wait(c) if c.gate == Gate::NationalList && c.message.contains("2026-10-19")));
        b.campaign.national_list_at = Some(noon() - Duration::days(30));
        assert!(matches!(decide(&careful, &b), Decision::Go { .. }));
    }

    #[test]
    fn no_agent_is_called_for_a_line_that_does_not_exist() {
        let room = |live: i64, preparing: i64| {
            let mut b = board(vec![zone("America/New_York", 0)]);
            b.campaign.max_concurrent = 50;
            let t = b.trunk.as_mut().unwrap();
            (t.live, t.preparing, t.calls_per_second, t.tokens) = (live, preparing, 100.0, 100.0);
            decided(&b)
        };
        assert_eq!(room(0, 0), ("go", 10));
        assert_eq!(room(4, 5), ("go", 1));
        assert_eq!(room(4, 6), ("trunk_concurrency", 0));
        let mut slow = board(vec![zone("America/New_York", 0)]);
        slow.campaign.max_concurrent = 50;
        assert_eq!(decided(&slow), ("go", 5), "one call a second: as many as the next seconds take");
        slow.trunk.as_mut().unwrap().preparing = 5;
        assert_eq!(decided(&slow).0, "trunk_rate");
    }

    #[test]
    fn a_promise_that_is_due_goes_first_in_whichever_zone() {
        let mut b = board(vec![zone("America/Chicago", 0), zone("America/New_York", 0), zone("America/Phoenix", 0)]);
        b.zones[2].promised = Some(noon() - Duration::minutes(1));
        b.zones[1].promised = Some(noon() + Duration::minutes(1));
        let Decision::Go { zones, promised, .. } = decide(&Rules::default(), &b) else { panic!() };
        assert_eq!((zones[0].as_str(), promised), ("America/Phoenix", true));
    }

    #[test]
    fn a_promise_in_a_closed_zone_waits_for_its_law() {
        let mut b = board(vec![zone("America/New_York", 0), zone("Pacific/Honolulu", 0)]);
        (b.zones[1].promised, b.zones[1].opens, b.zones[1].awake) = (Some(noon() - Duration::minutes(1)), Some(noon() + Duration::hours(1)), false);
        assert!(matches!(decide(&Rules::default(), &b), Decision::Go { zones, promised: false, .. } if zones == ["America/New_York"]));
    }

    proptest! {
        /// Whatever closes when, whoever was served when: over any hundred turns of one line, no ready zone
        /// is passed over for long, and the one that closes sooner has at least its even share.
        #[test]
        fn no_zone_waits_for_anothers_end(closes in prop::collection::vec(1i64..600, 2..6)) {
            let mut b = board(closes.iter().enumerate().map(|(i, c)| ZoneFacts { closes: Some(noon() + Duration::hours(10) + Duration::minutes(*c)), ..zone(&format!("Z{i}"), 0) }).collect());
            let mut served = vec![0usize; closes.len()];
            let mut since = vec![0usize; closes.len()];
            for _ in 0..100 {
                b.now += Duration::seconds(20);
                b.campaign.window = Window::new(Days::ALL, 0, 0).unwrap();
                let Decision::Go { zones, .. } = decide(&Rules::default(), &b) else { panic!() };
                let at = b.zones.iter().position(|z| z.key == zones[0]).unwrap();
                b.zones[at].served = Some(b.now);
                served[at] += 1;
                since.iter_mut().for_each(|n| *n += 1);
                since[at] = 0;
                prop_assert!(since.iter().all(|n| *n <= closes.len() * 4), "{closes:?} {since:?}");
            }
            let first = (0..closes.len()).min_by_key(|i| closes[*i]).unwrap();
            prop_assert!(served[first] >= 100 / closes.len() - 1, "{closes:?} {served:?}");
        }

        /// Nothing is begun beyond any limit, whatever the board says.
        #[test]
        fn never_beyond_a_limit(live in 0i64..60, preparing in 0i64..60, max in 1i64..60, used in 0i64..120, cap in 1i64..120,
                                lines in 1i64..40, busy in 0i64..40, on_trunk in 0i64..60, rate in 0.01f64..50.0, tokens in -3.0f64..50.0, delay in 0i64..5000) {
            let mut b = board(vec![zone("America/New_York", 0)]);
            let c = &mut b.campaign;
            (c.live, c.preparing, c.max_concurrent, c.used_today, c.daily_cap, c.call_delay_ms) = (live, preparing, max, used, cap, delay);
            let t = b.trunk.as_mut().unwrap();
            (t.live, t.preparing, t.max_live, t.calls_per_second, t.tokens) = (busy, on_trunk, lines, rate, tokens);
            if let Decision::Go { n, .. } = decide(&Rules::default(), &b) {
                let n = i64::try_from(n).unwrap();
                prop_assert!(n >= 1 && live + preparing + n <= max && used + preparing + n <= cap && busy + on_trunk + n <= lines);
            }
        }
    }

    #[test]
    fn contact_gates_in_order() {
        let us = ["US".to_owned()];
        let zones = [Tz::America__New_York, Tz::America__Los_Angeles];
        let rules = Rules::default();
        let noon = utc("2026-11-20T18:00:00Z");
        let early = utc("2026-11-20T13:30:00Z");
        let c = facts(Some(&zones), &us);
        assert_eq!(gate(contact(&rules, &c, noon)), "open");
        assert_eq!(contact(&rules, &c, early).unwrap_err().until, Some(utc("2026-11-20T16:00:00Z")), "8 in the last zone");
        assert_eq!(gate(contact(&rules, &facts(None, &us), noon)), "contact_zone");
        assert_eq!(gate(contact(&rules, &ContactFacts { on_do_not_call: true, ..c.clone() }, early)), "do_not_call");
        assert_eq!(gate(contact(&rules, &ContactFacts { place: Place { country: "FR", ..c.place.clone() }, ..c.clone() }, noon)), "country");
        let often = ContactFacts { dials_24h: 3, oldest_24h: Some(early), ..c.clone() };
        assert_eq!(contact(&rules, &often, noon).unwrap_err().until, Some(early + Duration::hours(24)));
        let busy = ContactFacts { number_live: true, ..c.clone() };
        assert_eq!(contact(&rules, &busy, noon).unwrap_err().until, Some(noon + BUSY));
        let held = ContactFacts { number_held_until: Some(noon + Duration::minutes(9)), ..c.clone() };
        assert_eq!(contact(&rules, &held, noon).unwrap_err().until, Some(noon + Duration::minutes(9)));
        let none = Rules { profile: Profile::None, ..Rules::default() };
        assert_eq!(gate(contact(&none, &facts(None, &us), early)), "open", "profile none: unknown zones too");
        assert_eq!(gate(contact(&none, &ContactFacts { on_do_not_call: true, ..c }, noon)), "do_not_call", "holds in all profiles");
    }

    #[test]
    fn kinds_and_the_careful_profile() {
        let us = ["US".to_owned()];
        let zones = [Tz::America__New_York];
        let noon = utc("2026-11-20T18:00:00Z");
        let c = facts(Some(&zones), &us);
        let of = |number| ContactFacts { place: Place { number, ..c.place.clone() }, ..c.clone() };
        for bad in ["+19005550123", "911", "+881631234567", "+12125550", "nonsense"] {
            assert_eq!(gate(contact(&Rules::default(), &of(bad), noon)), "number", "{bad}");
        }
        let careful = Rules { profile: Profile::Us, ..Rules::default() };
        assert_eq!(gate(contact(&careful, &c, noon)), "consent");
        let agreed = ContactFacts { consent_at: Some(noon - Duration::days(9)), ..c.clone() };
        assert_eq!(gate(contact(&careful, &agreed, noon)), "open");
        // Florida: three calls a day, whatever the installation allows.
        let often = ContactFacts { dials_24h: 3, place: Place { number: "+13055550142", ..c.place.clone() }, ..c };
        assert_eq!(gate(contact(&Rules { attempts_per_24h: 9, ..Rules::default() }, &often, noon)), "attempts_24h");
    }

    #[test]
    fn legal_hours_hold_even_when_the_campaign_says_otherwise() {
        let us = ["US".to_owned()];
        let zones = [Tz::America__New_York];
        assert_eq!(gate(contact(&Rules::default(), &facts(Some(&zones), &us), utc("2026-11-20T04:00:00Z"))), "contact_hours");
    }

    #[test]
    fn the_trunk_bucket_refills() {
        let now = noon();
        let t = TrunkFacts { live: 0, max_live: 10, preparing: 0, tokens: 0.0, refilled_at: now, calls_per_second: 2.0, countries: Vec::new() };
        assert_eq!(trunk(Some(&t), now).unwrap_err().until, Some(now + Duration::milliseconds(500)));
        assert!(trunk(Some(&t), now + Duration::milliseconds(500)).is_ok());
        assert!((t.tokens_at(now + Duration::hours(1)) - 2.0).abs() < 1e-9, "no hoard");
        assert_eq!(gate(trunk(Some(&TrunkFacts { live: 10, ..t }), now)), "trunk_concurrency");
    }

    #[test]
    fn a_cap_reached_waits_for_the_next_day_that_calls() {
        let mut c = board(Vec::new()).campaign;
        c.window = Window::new(Days::WORKDAYS, 540, 1020).unwrap();
        (c.used_today, c.daily_cap) = (5, 5);
        assert_eq!(campaign(&Rules::default(), &c, utc("2026-11-20T16:00:00Z")).unwrap_err().until, Some(utc("2026-11-23T14:00:00Z")));
    }
}
