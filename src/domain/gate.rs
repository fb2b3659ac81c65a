//! The gates between a contact and a dial, in order, as one pure function: allowed, or the gate,
//! the words and the next moment it may change. The same function judges a claim, the arm
//! transaction and the operator's "why is nothing dialling?".

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{
    Refusal, breaker, legal,
    phone::PhoneNumber,
    schedule::{self, Days, Window},
};

/// Compliance profile of the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// 8 to 21 on the contact's clock.
    #[default]
    Default,
    /// 9 to 20, no Sunday.
    Us,
    /// No legal hours: said on the screen.
    None,
}

impl Profile {
    /// The widest hours on the contact's own clock: outside of them no law is open. `None` under the
    /// profile without any.
    #[must_use]
    pub fn contact_window(self) -> Option<Window> {
        match self {
            Self::Default => Some(Window::daily(8, 21)),
            Self::Us => {
                let days = Days::parse(&["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]).unwrap_or(Days::WORKDAYS);
                Window::new(days, 9 * 60, 20 * 60)
            }
            Self::None => None,
        }
    }
}

/// The installation's rules, handed to whoever judges.
#[derive(Debug, Clone)]
pub struct Rules {
    pub profile: Profile,
    /// ISO countries allowed; empty: those of the trunk's numbers.
    pub countries: Vec<String>,
    pub attempts_per_24h: i64,
    /// Dials a second per trunk.
    pub calls_per_second: f64,
    /// Lines a trunk carries at once.
    pub trunk_concurrent: i64,
    pub breaker: breaker::Limits,
    /// The LiveKit is not on this machine: the terms must be accepted.
    pub real_phones: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            profile: Profile::Default,
            countries: Vec::new(),
            attempts_per_24h: 3,
            calls_per_second: 1.0,
            trunk_concurrent: 10,
            breaker: breaker::Limits::default(),
            real_phones: false,
        }
    }
}

/// The contact's side of a dial.
#[derive(Debug, Clone)]
pub struct ContactFacts<'a> {
    pub place: Place<'a>,
    pub countries_allowed: &'a [String],
    pub on_do_not_call: bool,
    /// When the contact agreed to be called.
    pub consent_at: Option<DateTime<Utc>>,
    /// Of when the national do-not-call list is that was loaded last.
    pub national_list_at: Option<DateTime<Utc>>,
    /// Dials of this number in the last 24 h over all campaigns, and when the oldest was.
    pub dials_24h: i64,
    pub oldest_24h: Option<DateTime<Utc>>,
}

/// Where a number is, as far as its digits tell.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    pub number: &'a str,
    pub country: &'a str,
    /// Candidate zones; `None` when unknown.
    pub zones: Option<&'a [Tz]>,
}

/// A national list must be no older when the profile asks for one.
const LIST_AGE: Duration = Duration::days(31);

/// The campaign's side of a dial.
#[derive(Debug, Clone)]
pub struct CampaignFacts {
    pub window: Window,
    pub zone: Tz,
    pub used_today: i64,
    pub daily_cap: i64,
    pub live: i64,
    pub max_concurrent: i64,
    pub next_call_at: Option<DateTime<Utc>>,
}

/// The trunk's side of a dial.
#[derive(Debug, Clone)]
pub struct TrunkFacts {
    pub live: i64,
    pub max_live: i64,
    /// Tokens of the calls-per-second bucket at `refilled_at`.
    pub tokens: f64,
    pub refilled_at: DateTime<Utc>,
    pub calls_per_second: f64,
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
}

fn refuse(gate: &'static str, until: Option<DateTime<Utc>>, message: String) -> Result<(), Refusal> {
    Err(Refusal { gate, message, until })
}

/// The kind of a number: what was valid when it was imported may not be by today's numbering plan.
///
/// # Errors
/// When it may not be dialled at all.
pub fn number(text: &str) -> Result<(), Refusal> {
    PhoneNumber::parse(text, None).map(drop).or_else(|e| refuse("number", None, e.to_string()))
}

/// The law of the place at this moment, in every zone the number may be in.
///
/// # Errors
/// When a law is closed, or the zone is unknown.
pub fn legal_hours(rules: &Rules, place: &Place<'_>, now: DateTime<Utc>) -> Result<(), Refusal> {
    if rules.profile == Profile::None {
        return Ok(());
    }
    let Some(zones) = place.zones else {
        return refuse("contact_zone", None, "the number's time zone is unknown: give the contact a timezone".to_owned());
    };
    let laws = legal::of(place.country, place.number, rules.profile == Profile::Us);
    legal::open_in_all(&laws, zones, now).or_else(|(law, until)| refuse("contact_hours", until, format!("outside {} on the contact's clock", law.label())))
}

/// Gates that depend on the contact alone and on the clock.
///
/// # Errors
/// The first gate that is closed.
pub fn contact(rules: &Rules, c: &ContactFacts<'_>, now: DateTime<Utc>) -> Result<(), Refusal> {
    number(c.place.number)?;
    let country = c.place.country;
    if !c.countries_allowed.iter().any(|a| a == country) {
        let allowed = c.countries_allowed.join(", ");
        return refuse("country", None, format!("country {country} is not allowed (allowed: {allowed}); [compliance] countries names more"));
    }
    if c.on_do_not_call {
        return refuse("do_not_call", None, "the number is on the do-not-call list".to_owned());
    }
    if rules.profile == Profile::Us {
        consent(c, now)?;
    }
    legal_hours(rules, &c.place, now)?;
    let laws = if rules.profile == Profile::None { Vec::new() } else { legal::of(country, c.place.number, rules.profile == Profile::Us) };
    let most = laws.iter().filter_map(|l| l.calls_24h).chain([rules.attempts_per_24h]).min().unwrap_or(rules.attempts_per_24h);
    if c.dials_24h >= most {
        let until = c.oldest_24h.map(|t| t + Duration::hours(24));
        return refuse("attempts_24h", until, format!("the number was called {} times in 24 hours", c.dials_24h));
    }
    Ok(())
}

fn consent(c: &ContactFacts<'_>, now: DateTime<Utc>) -> Result<(), Refusal> {
    if c.consent_at.is_none_or(|t| t > now) {
        return refuse("consent", None, "no consent is recorded for the contact: import it with a column consent_at".to_owned());
    }
    match c.national_list_at {
        Some(at) if now - at <= LIST_AGE => Ok(()),
        Some(at) => refuse(
            "national_list",
            None,
            format!("the national do-not-call list is of {}: load a newer one with `dialdeck dnc import --national`", at.date_naive()),
        ),
        None => refuse("national_list", None, "no national do-not-call list was loaded: `dialdeck dnc import --national`".to_owned()),
    }
}

/// Gates of the campaign: days and hours, daily cap, concurrency, delay.
///
/// # Errors
/// The first gate that is closed.
pub fn campaign(c: &CampaignFacts, now: DateTime<Utc>) -> Result<(), Refusal> {
    if !c.window.is_open(c.zone, now) {
        let until = c.window.next_open(c.zone, now);
        return refuse("hours", until, format!("outside {} {}", c.window.label(), c.zone.name()));
    }
    if c.used_today >= c.daily_cap {
        let until = c.window.next_open(c.zone, schedule::next_day(c.zone, now));
        return refuse("daily_cap", until, format!("daily cap of {} reached", c.daily_cap));
    }
    if c.live >= c.max_concurrent {
        return refuse("concurrency", None, format!("{} of {} calls are live", c.live, c.max_concurrent));
    }
    if let Some(next) = c.next_call_at.filter(|t| *t > now) {
        return refuse("call_delay", Some(next), "waiting the delay between calls".to_owned());
    }
    Ok(())
}

/// Gates of the trunk: concurrency and calls per second.
///
/// # Errors
/// The first gate that is closed.
pub fn trunk(t: &TrunkFacts, now: DateTime<Utc>) -> Result<(), Refusal> {
    if t.live >= t.max_live {
        return refuse("trunk_concurrency", None, format!("{} of {} lines of the trunk are in use", t.live, t.max_live));
    }
    let missing = 1.0 - t.tokens_at(now);
    if missing > 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "below one token at a positive rate: small")]
        let wait = (missing / t.calls_per_second.max(0.001) * 1000.0).ceil() as i64;
        return refuse("trunk_rate", Some(now + Duration::milliseconds(wait)), format!("the trunk takes {} calls a second", t.calls_per_second));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn facts<'a>(zones: Option<&'a [Tz]>, us: &'a [String]) -> ContactFacts<'a> {
        ContactFacts {
            place: Place { number: "+12125550142", country: "US", zones },
            countries_allowed: us,
            on_do_not_call: false,
            consent_at: None,
            national_list_at: None,
            dials_24h: 0,
            oldest_24h: None,
        }
    }

    fn gate(r: Result<(), Refusal>) -> &'static str {
        r.map_or_else(|e| e.gate, |()| "open")
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
        assert_eq!(gate(contact(&careful, &agreed, noon)), "national_list");
        let old = ContactFacts { national_list_at: Some(noon - Duration::days(32)), ..agreed.clone() };
        assert_eq!(gate(contact(&careful, &old, noon)), "national_list");
        let fresh = ContactFacts { national_list_at: Some(noon - Duration::days(30)), ..agreed };
        assert_eq!(gate(contact(&careful, &fresh, noon)), "open");
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
        let now = utc("2026-11-20T18:00:00Z");
        let t = TrunkFacts { live: 0, max_live: 10, tokens: 0.0, refilled_at: now, calls_per_second: 2.0 };
        assert_eq!(trunk(&t, now).unwrap_err().until, Some(now + Duration::milliseconds(500)));
        assert!(trunk(&t, now + Duration::milliseconds(500)).is_ok());
        assert!((t.tokens_at(now + Duration::hours(1)) - 2.0).abs() < 1e-9, "no hoard");
        assert_eq!(gate(trunk(&TrunkFacts { live: 10, ..t }, now)), "trunk_concurrency");
    }

    #[test]
    fn a_cap_reached_waits_for_the_next_day_that_calls() {
        let friday = utc("2026-11-20T16:00:00Z");
        let c = CampaignFacts {
            window: Window::new(Days::WORKDAYS, 540, 1020).unwrap(),
            zone: Tz::America__New_York,
            used_today: 5,
            daily_cap: 5,
            live: 0,
            max_concurrent: 5,
            next_call_at: None,
        };
        assert_eq!(campaign(&c, friday).unwrap_err().until, Some(utc("2026-11-23T14:00:00Z")));
    }
}
