//! The gates of a contact: the number, its country, do-not-call, the law of the place, how often and how
//! soon, judged before an agent is called and again when the call is armed.

use chrono::{DateTime, Duration, Utc};

use super::gates::{Closed, Gate, close, close_until};
use crate::domain::{
    legal,
    phone::PhoneNumber,
    rules::{Profile, Rules},
    zone::Zone,
};

/// The contact's side of a dial.
#[derive(Debug, Clone)]
pub struct ContactFacts<'a> {
    pub place: Place<'a>,
    /// Countries of the trunk's own numbers: what may be called where the configuration names none.
    pub trunk_countries: &'a [String],
    pub on_do_not_call: bool,
    /// When the contact agreed to be called.
    pub consent_at: Option<DateTime<Utc>>,
    /// What there has been with the number, over all campaigns.
    pub history: &'a History,
    /// The contact was promised this call.
    pub promised: bool,
    /// Places that an operator has closed.
    pub closures: &'a [Closure],
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
    /// States its owner is said to be in, beside those of its area code: `US-FL`.
    pub states: Vec<&'a str>,
}

impl Place<'_> {
    fn places(&self) -> Vec<String> {
        legal::places(self.country, self.number, self.states.iter().copied())
    }
}

/// What there has been with a number, over all campaigns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// When it was dialled, oldest first, as far back as any limit looks.
    pub dials: Vec<DateTime<Utc>>,
    /// When a call ended that somebody answered.
    pub talked_at: Option<DateTime<Utc>>,
    /// When somebody said no.
    pub refused_at: Option<DateTime<Utc>>,
    /// Its latest outcome is a wrong number.
    pub wrong_number: bool,
}

impl History {
    /// As far back as any limit looks.
    pub const REACH: Duration = Duration::days(60);

    /// When a limit is free again, where it is reached.
    fn free_at(&self, limit: legal::Frequency, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let within = || self.dials.iter().rev().filter(|t| **t > now - limit.within);
        let blocking = within().nth(limit.calls.checked_sub(1)?)?;
        Some(*blocking + limit.within)
    }
}

/// A place that an operator has closed, for an emergency or a doubt.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Closure {
    /// `US-LA`, `DE`.
    pub place: String,
    pub until: Option<DateTime<Utc>>,
    pub reason: String,
    /// Who closed it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
}

impl Closure {
    #[must_use]
    pub fn holds_at(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|t| t > now)
    }

    #[must_use]
    pub fn words(&self) -> String {
        format!("{0} was closed ({1}): `dialdeck law open {0}` opens it", self.place, self.reason)
    }

    /// Whether the place lies in what is closed. A number that may be anywhere lies everywhere.
    #[must_use]
    pub fn covers(&self, place: &str) -> bool {
        self.place == place || legal::country_of(place) == self.place || (place == legal::ANY_STATE && self.place.starts_with("US-"))
    }
}

/// A number that is on a call is looked at again after this: nobody wants to be rung right after it.
pub const BUSY: Duration = Duration::seconds(60);
/// Why it waits: rows that were put off with these words are due again when the other call's end is proven.
pub const NUMBER_BUSY: &str = "number busy: another call to it is live or unproven";

/// The kind of a number: what was valid when it was imported may not be by today's numbering plan.
fn number(text: &str) -> Result<(), Closed> {
    PhoneNumber::parse(text, None).map(drop).or_else(|e| close(Gate::Number, e.to_string()))
}

/// The laws that hold; none under the profile without any.
///
/// # Errors
/// When the table has none, and no setting opens the country.
fn laws(rules: &Rules, place: &Place<'_>) -> Result<Vec<&'static legal::Law>, Closed> {
    let Some(reading) = rules.reading() else { return Ok(Vec::new()) };
    let country = place.country;
    let laws = legal::of(&place.places(), reading);
    if laws.is_empty() {
        let words = format!("the law of {country} is not in the table: nobody is called there until [compliance] unlisted_countries = \"open\"");
        return Err(Closed::new(Gate::NoLaw, words));
    }
    if laws.iter().any(|l| l.named) && !rules.countries.iter().any(|c| c == country) {
        let words = format!("{country} asks for local numbers and approval: nobody is called there unless [compliance] countries names it");
        return Err(Closed::new(Gate::NoLaw, words));
    }
    Ok(laws)
}

/// Whether an operator has closed one of the places.
fn place_closed(closures: &[Closure], place: &Place<'_>, now: DateTime<Utc>) -> Result<(), Closed> {
    let places = place.places();
    match closures.iter().find(|c| c.holds_at(now) && places.iter().any(|p| c.covers(p))) {
        Some(c) => close_until(Gate::PlaceClosed, c.until, c.words()),
        None => Ok(()),
    }
}

/// The law of the place at this moment, in every zone the number may be in.
///
/// # Errors
/// When a law is closed, or the zone is unknown.
pub fn legal_hours(rules: &Rules, closures: &[Closure], place: &Place<'_>, now: DateTime<Utc>) -> Result<(), Closed> {
    place_closed(closures, place, now)?;
    if rules.reading().is_none() {
        return Ok(());
    }
    let laws = laws(rules, place)?;
    let Some(zones) = place.zones else {
        return close(Gate::ContactZone, "the number's time zone is unknown: give the contact a timezone");
    };
    legal::open_in_all(&laws, zones, now).or_else(|(law, until)| match until {
        Some(until) => close_until(Gate::ContactHours, until, format!("outside {} on the contact's clock", law.label())),
        // Where every state and every zone has its say, no hour is left.
        None if zones.len() > 20 => close(Gate::NoHour, "the number belongs to no place, such as a toll-free one: no hour is lawful in all of them"),
        None => close(Gate::NoHour, format!("no hour is lawful: {}", law.label())),
    })
}

/// Gates of the contact: judged before an agent is called, and again when the call is armed.
///
/// # Errors
/// The first that is closed.
pub fn contact(rules: &Rules, c: &ContactFacts<'_>, now: DateTime<Utc>) -> Result<(), Closed> {
    number(c.place.number)?;
    country(rules, c.trunk_countries, c.place.country)?;
    if c.on_do_not_call {
        return close(Gate::DoNotCall, "the number is on the do-not-call list");
    }
    if c.history.wrong_number {
        return close(Gate::WrongNumber, "it was marked as a wrong number: change that call's outcome to call it again");
    }
    let laws = laws(rules, &c.place)?;
    consent(rules, &laws, c, now)?;
    legal_hours(rules, c.closures, &c.place, now)?;
    frequency(rules, &laws, c.history, now)?;
    rest(rules, &laws, c, now)?;
    let held = c.number_held_until.filter(|t| *t > now);
    if c.number_live || held.is_some() {
        return close_until(Gate::NumberBusy, held.unwrap_or(now + BUSY), NUMBER_BUSY);
    }
    Ok(())
}

/// Another phone than the callee's, that a live call makes ring: a supervisor's own, or whom the call is handed to.
#[derive(Debug, Clone)]
pub struct OtherPhone<'a> {
    pub number: &'a str,
    pub country: &'a str,
    pub callee: &'a str,
    /// Somebody has answered the call.
    pub talking: bool,
    pub on_do_not_call: bool,
    /// A call to it is on the line.
    pub number_live: bool,
    pub trunk_countries: &'a [String],
}

/// Gates of such a phone. It is no contact, so no hours and no consent; what holds in every profile holds here.
///
/// # Errors
/// The first that is closed.
pub fn other_phone(rules: &Rules, p: &OtherPhone<'_>, now: DateTime<Utc>) -> Result<(), Closed> {
    if !p.talking {
        return close(Gate::State, "nobody has answered the call, or it has ended");
    }
    number(p.number)?;
    country(rules, p.trunk_countries, p.country)?;
    if p.on_do_not_call {
        return close(Gate::DoNotCall, "the number is on the do-not-call list");
    }
    if p.number == p.callee {
        return close(Gate::Number, "that is the phone the call is with");
    }
    if p.number_live {
        return close_until(Gate::NumberBusy, now + BUSY, "number busy: a call to it is on the line");
    }
    Ok(())
}

fn country(rules: &Rules, trunk_countries: &[String], country: &str) -> Result<(), Closed> {
    let allowed = if rules.countries.is_empty() { trunk_countries } else { &rules.countries };
    if allowed.iter().any(|a| a == country) {
        return Ok(());
    }
    let allowed = allowed.join(", ");
    close(Gate::Country, format!("country {country} is not allowed (allowed: {allowed}); [compliance] countries names more"))
}

fn consent(rules: &Rules, laws: &[&legal::Law], c: &ContactFacts<'_>, now: DateTime<Utc>) -> Result<(), Closed> {
    if c.consent_at.is_some_and(|t| t <= now) {
        return Ok(());
    }
    let words = "no consent is recorded for the contact: import it with a column consent_at";
    if rules.profile == Profile::Us {
        return close(Gate::Consent, words);
    }
    match laws.iter().find(|l| l.consent == legal::Consent::OptIn) {
        Some(law) => close(Gate::Consent, format!("{words} ({}: {})", law.place, law.source)),
        None => Ok(()),
    }
}

/// How often a number is called: the installation's own limit in 24 hours, and what each law says.
fn frequency(rules: &Rules, laws: &[&legal::Law], history: &History, now: DateTime<Utc>) -> Result<(), Closed> {
    const DAY: Duration = Duration::hours(24);
    let own = legal::Frequency { calls: usize::try_from(rules.attempts_per_24h).unwrap_or(0), within: DAY };
    for limit in laws.iter().flat_map(|l| &l.frequencies).chain([&own]) {
        let Some(until) = history.free_at(*limit, now) else { continue };
        let gate = if limit.within == DAY { Gate::Attempts24h } else { Gate::Frequency };
        let span = if limit.within > DAY { format!("{} days", limit.within.num_days()) } else { format!("{} hours", limit.within.num_hours()) };
        return close_until(gate, until, format!("the number may be called {} times in {span}, and was", limit.calls));
    }
    Ok(())
}

/// Who talked to us rests, and who said no rests longer where the law says so; what was promised is kept.
fn rest(rules: &Rules, laws: &[&legal::Law], c: &ContactFacts<'_>, now: DateTime<Utc>) -> Result<(), Closed> {
    let refused = c.history.refused_at.zip(laws.iter().filter_map(|l| l.rest_after_refusal).max()).map(|(t, rest)| t + rest);
    if let Some(until) = refused.filter(|t| *t > now) {
        return close_until(Gate::Rest, until, "the contact said no, and the law of the place asks for a rest");
    }
    let talked = c.history.talked_at.filter(|_| !c.promised).map(|t| t + rules.rest_after_talk);
    match talked.filter(|t| *t > now) {
        Some(until) => close_until(Gate::Rest, until, "somebody at the number talked to us a short while ago"),
        None => Ok(()),
    }
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

    static NOTHING: History = History { dials: Vec::new(), talked_at: None, refused_at: None, wrong_number: false };

    fn facts<'a>(zones: Option<&'a [Zone]>, us: &'a [String]) -> ContactFacts<'a> {
        ContactFacts {
            place: Place { number: "+12125550142", country: "US", zones, states: Vec::new() },
            trunk_countries: us,
            on_do_not_call: false,
            consent_at: None,
            history: &NOTHING,
            promised: false,
            closures: &[],
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
        let thrice = History { dials: vec![early; 3], ..History::default() };
        let often = ContactFacts { history: &thrice, ..c.clone() };
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
        let thrice = History { dials: vec![noon - Duration::hours(9); 3], ..History::default() };
        let often = ContactFacts { history: &thrice, place: Place { number: "+13055550142", ..c.place.clone() }, ..c };
        assert_eq!(gate(contact(&Rules { attempts_per_24h: 9, ..Rules::default() }, &often, noon)), "attempts_24h");
    }

    #[test]
    fn legal_hours_hold_even_when_the_campaign_says_otherwise() {
        let us = ["US".to_owned()];
        let zones = [zone("America/New_York")];
        assert_eq!(gate(contact(&Rules::default(), &facts(Some(&zones), &us), utc("2026-11-20T04:00:00Z"))), "contact_hours");
    }

    #[test]
    fn a_country_of_which_no_law_is_known_is_closed_until_a_setting_opens_it() {
        let zones = [zone("America/Mexico_City")];
        let mx = ["MX".to_owned()];
        let noon = utc("2026-11-20T18:00:00Z");
        let c = facts(Some(&zones), &mx);
        let c = ContactFacts { place: Place { number: "+525555550142", country: "MX", ..c.place.clone() }, ..c };
        let closed = contact(&Rules::default(), &c, noon).unwrap_err();
        assert!(closed.gate == Gate::NoLaw && closed.message.contains("unlisted_countries = \"open\""), "{closed}");
        let open = Rules { unlisted_open: true, ..Rules::default() };
        assert_eq!(gate(contact(&open, &c, noon)), "open");
        assert_eq!(gate(contact(&open, &c, utc("2026-11-21T18:00:00Z"))), "contact_hours", "no weekend");
        // A place that asks for approval is open only where it is named.
        let zones = [zone("Asia/Dubai")];
        let ae = ["AE".to_owned()];
        let c = ContactFacts { place: Place { number: "+97144234567", country: "AE", zones: Some(&zones), states: Vec::new() }, trunk_countries: &ae, ..c };
        let noon = utc("2026-11-20T08:00:00Z");
        assert_eq!(gate(contact(&Rules::default(), &c, noon)), "law");
        assert_eq!(gate(contact(&Rules { countries: ae.to_vec(), ..Rules::default() }, &c, noon)), "open");
    }

    #[test]
    fn an_artificial_voice_asks_for_consent_where_the_law_does() {
        let zones = [zone("Europe/London")];
        let gb = ["GB".to_owned()];
        let noon = utc("2026-11-20T12:00:00Z");
        let c = facts(Some(&zones), &gb);
        let c = ContactFacts { place: Place { number: "+442079460018", country: "GB", ..c.place.clone() }, ..c };
        assert_eq!(gate(contact(&Rules::default(), &c, noon)), "consent");
        assert_eq!(gate(contact(&Rules { automated_voice: false, ..Rules::default() }, &c, noon)), "open");
        assert_eq!(gate(contact(&Rules::default(), &ContactFacts { consent_at: Some(noon + Duration::days(1)), ..c.clone() }, noon)), "consent", "not yet");
        assert_eq!(gate(contact(&Rules::default(), &ContactFacts { consent_at: Some(noon - Duration::days(1)), ..c }, noon)), "open");
    }

    #[test]
    fn who_talked_or_said_no_rests() {
        let us = ["US".to_owned()];
        let zones = [zone("America/New_York")];
        let noon = utc("2026-11-20T18:00:00Z");
        let talked = History { talked_at: Some(noon - Duration::seconds(10)), ..History::default() };
        let c = ContactFacts { history: &talked, ..facts(Some(&zones), &us) };
        let closed = contact(&Rules::default(), &c, noon).unwrap_err();
        assert_eq!((closed.gate, closed.until), (Gate::Rest, Some(noon - Duration::seconds(10) + Duration::hours(24))));
        assert_eq!(gate(contact(&Rules::default(), &ContactFacts { promised: true, ..c.clone() }, noon)), "open", "what was promised is kept");
        assert_eq!(gate(contact(&Rules { rest_after_talk: Duration::zero(), ..Rules::default() }, &c, noon)), "open");
        let wrong = History { wrong_number: true, ..History::default() };
        assert_eq!(gate(contact(&Rules::default(), &ContactFacts { history: &wrong, ..c.clone() }, noon)), "wrong_number");
        // France: sixty days after a no, and four calls in thirty days.
        let zones = [zone("Europe/Paris")];
        let fr = ["FR".to_owned()];
        let noon = utc("2026-11-20T10:30:00Z");
        let agreed = Some(noon - Duration::days(300));
        let paris = ContactFacts {
            place: Place { number: "+33123456789", country: "FR", zones: Some(&zones), states: Vec::new() },
            trunk_countries: &fr,
            consent_at: agreed,
            ..c
        };
        let no = History { refused_at: Some(noon - Duration::days(59)), ..History::default() };
        let closed = contact(&Rules::default(), &ContactFacts { history: &no, promised: true, ..paris.clone() }, noon).unwrap_err();
        assert_eq!((closed.gate, closed.until), (Gate::Rest, Some(noon + Duration::days(1))));
        let days = [40, 29, 20, 10, 2].map(|d| noon - Duration::days(d));
        let often = History { dials: days.to_vec(), ..History::default() };
        let closed = contact(&Rules::default(), &ContactFacts { history: &often, ..paris.clone() }, noon).unwrap_err();
        assert_eq!((closed.gate, closed.until), (Gate::Frequency, Some(noon + Duration::days(1))));
        let thrice = History { dials: days[2..].to_vec(), ..History::default() };
        assert_eq!(gate(contact(&Rules::default(), &ContactFacts { history: &thrice, ..paris }, noon)), "open");
    }

    #[test]
    fn an_operator_may_close_a_place() {
        let us = ["US".to_owned()];
        let zones = [zone("America/Chicago")];
        let noon = utc("2026-11-20T18:00:00Z");
        let c = facts(Some(&zones), &us);
        let judged = |number, place: &str, until: Option<DateTime<Utc>>| {
            let closures = [Closure { place: place.to_owned(), until, reason: "storm".to_owned(), by: String::new() }];
            let facts = ContactFacts { place: Place { number, ..c.place.clone() }, closures: &closures, ..c.clone() };
            contact(&Rules { profile: Profile::None, ..Rules::default() }, &facts, noon).map_err(|c| (c.gate.word(), c.until))
        };
        let later = noon + Duration::hours(3);
        assert_eq!(judged("+15045550142", "US-LA", Some(later)), Err(("place_closed", Some(later))), "whatever the profile");
        assert_eq!(judged("+15045550142", "US-LA", Some(noon)), Ok(()), "it is over");
        assert_eq!(judged("+15045550142", "US-TX", None), Ok(()));
        assert_eq!(judged("+15045550142", "US", None), Err(("place_closed", None)));
        assert_eq!(judged("+19995550142", "US-LA", None).unwrap_err().0, "number");
        assert_eq!(judged("+18005550142", "US-LA", None), Err(("place_closed", None)), "it may be anywhere");
    }
}
