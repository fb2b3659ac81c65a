//! Rows of calls: which pass a filter, which want a tag, and in what order they stand.

use chrono::{DateTime, Utc};

use super::fuzzy;
use crate::{
    domain::{call::State, id::CallId, outcome::Outcome, text},
    store::PaneRow,
};

/// A person's name, or the end of the number where there is none.
#[must_use]
pub fn display_name(r: &PaneRow) -> String {
    if r.contact_name.trim().is_empty() { text::tail(&r.phone_number) } else { text::clean(&r.contact_name, 80) }
}

/// An ended, answered call without an outcome.
#[must_use]
pub fn wants_tag(r: &PaneRow) -> bool {
    r.state.is_ended() && r.answered_at.is_some() && r.outcome.is_none()
}

/// The carrier's words with its code, where it gave some.
#[must_use]
pub fn why_ended(r: &PaneRow) -> String {
    let reason = match r.reason.trim() {
        // A row of an older release: the contract's word for the state, which nobody speaks.
        "canceled" => "hung up before the answer",
        reason => reason,
    };
    match (r.sip_code, reason) {
        (Some(code), "") => format!("{} ({code})", r.state.words_if(r.armed_at.is_some())),
        (Some(code), words) => format!("{words} ({code})"),
        (None, words) => words.to_owned(),
    }
}

/// The same, where its state does not say as much.
#[must_use]
pub fn more_than_state(r: &PaneRow) -> String {
    let why = why_ended(r);
    let said = match r.state {
        State::Busy => matches!(r.sip_code, Some(486 | 600)),
        State::Rejected => r.sip_code == Some(603),
        // Who hung up is clear from the state.
        State::Canceled if r.armed_at.is_some() => why.starts_with(r.state.words()),
        _ => why.eq_ignore_ascii_case(r.state.words()),
    };
    if said { String::new() } else { why }
}

/// Where a call stands among others: on call first, then ringing, dialling, ended; the longest first, of ended ones
/// the newest.
#[must_use]
pub fn standing(r: &PaneRow) -> (u8, i64, CallId) {
    (group(r.state), since(r), r.id)
}

/// Seconds in the present state, or of the talk; nothing where nobody talked.
#[must_use]
pub fn seconds(r: &PaneRow, now: DateTime<Utc>) -> Option<i64> {
    match r.state.is_ended() {
        true if r.answered_at.is_none() => None,
        true => Some(r.call_duration),
        false => Some(r.answered_at.or(r.ringing_at).or(r.armed_at).map_or(0, |t| (now - t).num_seconds().max(0))),
    }
}

#[must_use]
pub fn group(state: State) -> u8 {
    match state {
        State::Answered => 0,
        State::Ringing => 1,
        State::Armed | State::Dialing => 2,
        State::Unknown => 3,
        State::Pending | State::Claimed => 4,
        _ => 5,
    }
}

fn since(r: &PaneRow) -> i64 {
    match r.completed_at {
        Some(t) => -t.timestamp_millis(),
        None => r.answered_at.or(r.ringing_at).or(r.armed_at).map_or(i64::MAX, |t| t.timestamp_millis()),
    }
}

/// Whether a call passes a filter.
#[must_use]
pub fn passes(filter: &str, r: &PaneRow) -> bool {
    matches(
        filter,
        &[
            ("name", &r.contact_name),
            ("number", &r.phone_number),
            ("campaign", &r.campaign_name),
            ("state", r.state.words_if(r.armed_at.is_some())),
            ("outcome", r.outcome.map_or("untagged", Outcome::label)),
            ("says", r.suggestion.filter(|_| r.outcome.is_none()).map_or("", Outcome::label)),
        ],
    )
}

/// `text`, `!text`, `field:text`; several words must all hold. A word is found whole or by the beginnings of words
/// (`jroe` finds Jane Roe); what is excluded is excluded only by the whole of it.
#[must_use]
pub fn matches(filter: &str, fields: &[(&str, &str)]) -> bool {
    filter.split_whitespace().all(|word| {
        let (negated, word) = word.strip_prefix('!').map_or((false, word), |w| (true, w));
        // A colon behind what is no field's name is a letter like others: `10:42`.
        let of_field = word.split_once(':').filter(|(n, _)| !n.is_empty() && fields.iter().any(|(f, _)| f.starts_with(n)));
        let (name, text) = of_field.map_or((None, word), |(n, t)| (Some(n), t));
        let text = text.to_lowercase();
        let digits = text.chars().all(|c| c.is_ascii_digit());
        let found = fields.iter().filter(|(n, _)| name.is_none_or(|want| n.starts_with(want))).any(|(_, value)| {
            let value = value.to_lowercase();
            value.contains(&text) || (digits && value.replace(' ', "").contains(&text)) || (!negated && fuzzy::near(&text, &value))
        });
        found != negated
    })
}

/// `40 s`, `4 m`, `3 h`, `2 d`.
#[must_use]
pub fn age(now: DateTime<Utc>, since: DateTime<Utc>) -> String {
    let seconds = (now - since).num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} m", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `1 campaign`, `2 campaigns`; a word whose plural is its own is given with it.
#[must_use]
pub fn count(n: impl Into<i64>, one: &str) -> String {
    let n = n.into();
    match (n, one) {
        (1, _) => format!("1 {one}"),
        (_, "person") => format!("{n} people"),
        _ => format!("{n} {one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        let fields = [("name", "Ana Lima"), ("number", "+12025550139"), ("campaign", "Q4 Sales"), ("state", "ended")];
        for (filter, want) in [
            ("", true),
            ("ana", true),
            ("0139", true),
            ("!ana", false),
            ("campaign:q4", true),
            ("name:q4", false),
            ("ana ringing", false),
            ("!ringing lima", true),
            ("alima", true),
            ("q4s", true),
            ("amli", false),
            ("!alima", true),
            ("0:42", false),
        ] {
            assert_eq!(matches(filter, &fields), want, "{filter}");
        }
    }

    #[test]
    fn one_is_one_and_two_are_two() {
        assert_eq!([count(1, "campaign"), count(0, "live call"), count(2, "person")], ["1 campaign", "0 live calls", "2 people"]);
    }
}
