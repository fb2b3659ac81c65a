//! The gates. Each says its **scope**, which is whom it closes, and what it **closes**: for good, until a
//! moment, or only the pace. A new gate is a variant with its line in [`Gate::traits`] and a judgement in
//! the function of its scope here, and the fact it looks at where the store reads them.

use crate::domain::zone::Zone;
use chrono::{DateTime, Duration, Utc};

use crate::domain::{
    Refusal,
    campaign::Status,
    legal,
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
}

impl CampaignFacts {
    pub(super) fn lines(&self) -> i64 {
        if self.brake.is_some() { 1 } else { self.max_concurrent }
    }
}

/// A national list must be no older when the profile asks for one.
const LIST_AGE: Duration = Duration::days(31);

/// The state of a campaign, with the way to running.
pub(super) fn state(c: &CampaignFacts) -> Result<(), Closed> {
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
    pub zones: Option<&'a [Zone]>,
    /// States it is said to be in beside those of its area code.
    pub states: Vec<&'a str>,
}

/// A number that is on a call is looked at again after this: nobody wants to be rung right after it.
const BUSY: Duration = Duration::seconds(60);

/// The kind of a number: what was valid when it was imported may not be by today's numbering plan.
fn number(text: &str) -> Result<(), Closed> {
    PhoneNumber::parse(text, None).map(drop).or_else(|e| close(Gate::Number, e.to_string()))
}

fn laws(rules: &Rules, place: &Place<'_>) -> Vec<&'static legal::Law> {
    if rules.profile == Profile::None { Vec::new() } else { legal::of(place.country, place.number, &place.states, rules.profile == Profile::Us) }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn facts<'a>(zones: Option<&'a [Zone]>, us: &'a [String]) -> ContactFacts<'a> {
        ContactFacts {
            place: Place { number: "+12125550142", country: "US", zones, states: Vec::new() },
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

    #[test]
    fn contact_gates_in_order() {
        let us = ["US".to_owned()];
        let zones = [zone("America/New_York"), zone("America/Los_Angeles")];
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
        let zones = [zone("America/New_York")];
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
        let zones = [zone("America/New_York")];
        assert_eq!(gate(contact(&Rules::default(), &facts(Some(&zones), &us), utc("2026-11-20T04:00:00Z"))), "contact_hours");
    }

    #[test]
    fn the_trunk_bucket_refills() {
        let now = utc("2026-11-20T17:00:00Z");
        let t = TrunkFacts { live: 0, max_live: 10, preparing: 0, tokens: 0.0, refilled_at: now, calls_per_second: 2.0, countries: Vec::new() };
        assert_eq!(trunk(Some(&t), now).unwrap_err().until, Some(now + Duration::milliseconds(500)));
        assert!(trunk(Some(&t), now + Duration::milliseconds(500)).is_ok());
        assert!((t.tokens_at(now + Duration::hours(1)) - 2.0).abs() < 1e-9, "no hoard");
        assert_eq!(gate(trunk(Some(&TrunkFacts { live: 10, ..t }), now)), "trunk_concurrency");
    }
}
