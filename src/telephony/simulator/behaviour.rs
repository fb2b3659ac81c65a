//! What a phone does when it is called: by the last four digits, as the lab's sipp callee, or by a
//! seeded mix as a call centre meets it.

use std::{borrow::Cow, time::Duration};

use super::script::Script;
use crate::domain::outcome::Outcome;

/// How numbers become callees.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// `0486` busy, `0404` unknown, `0480` unavailable, `0603` declines, `0503` over the trunk's
    /// rate, `0408` rings for ever, `0202` answers and hangs up after 3 s, `0183` early media,
    /// `0200` picks up as we cancel, `0401` refuses our credentials, `0701` and `0703` answer and take no transfer;
    /// all others ring 1 s and answer.
    Digits,
    /// A plausible mix, the same for the same seed and number.
    Mix { seed: u64 },
    /// Everybody answers after `ring` and hangs up after `talk`.
    Answer { ring: Duration, talk: Duration },
    /// As a file says.
    Script(Box<Script>),
}

/// How one call goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub callee: Callee,
    /// What the agent will report.
    pub outcome: Option<Outcome>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callee {
    /// A final answer at once or after ringing.
    Reject {
        ring: Duration,
        code: u16,
        text: Cow<'static, str>,
    },
    RingForever,
    /// Rings, answers, talks: until the callee hangs up, or waits for our BYE.
    Answer {
        ring: Duration,
        talk: Option<Duration>,
    },
    /// Rings until cancelled, and picks up in that very moment.
    PickUpAsCancelled,
    /// The trunk asks for credentials and we have none.
    WantsCredentials,
}

impl Behaviour {
    /// The plan for the `nth` call to a number.
    #[must_use]
    pub fn plan(&self, number: &str, nth: usize) -> Plan {
        match self {
            Self::Digits => Plan { callee: by_digits(number), outcome: None },
            Self::Mix { seed } => mix(*seed, number, nth),
            Self::Answer { ring, talk } => Plan { callee: Callee::Answer { ring: *ring, talk: Some(*talk) }, outcome: Some(Outcome::Interested) },
            Self::Script(script) => script.plan(number, nth),
        }
    }
}

fn reject(code: u16, text: &'static str) -> Callee {
    Callee::Reject { ring: Duration::ZERO, code, text: text.into() }
}

fn by_digits(number: &str) -> Callee {
    let answer = |ring, talk| Callee::Answer { ring: Duration::from_millis(ring), talk };
    match number.get(number.len().saturating_sub(4)..).unwrap_or_default() {
        "0486" => reject(486, "Busy here"),
        "0404" => reject(404, "Not Found"),
        "0480" => reject(480, "Temporarily Unavailable"),
        "0603" => reject(603, "Decline"),
        "0503" => reject(503, "Trunk CPS limit exceeded"),
        "0401" => reject(403, "Forbidden"),
        "0408" => Callee::RingForever,
        "0202" => answer(1000, Some(Duration::from_secs(3))),
        "0183" => answer(2000, None),
        "0700" | "0701" | "0703" => answer(480, None),
        "0200" => Callee::PickUpAsCancelled,
        _ => answer(1000, None),
    }
}

/// One round of `SplitMix64`: a good enough die, the same everywhere.
#[must_use]
pub fn die(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn mix(seed: u64, number: &str, nth: usize) -> Plan {
    let start = number.bytes().fold(seed ^ nth as u64, |acc, b| die(acc ^ u64::from(b)));
    let roll = |n: u64, sides: u64| die(start.wrapping_add(n)) % sides;
    let ring = Duration::from_millis(2000 + roll(1, 6000));
    let talk = Duration::from_millis(10_000 + roll(2, 80_000));
    let short = Duration::from_millis(4000 + roll(3, 8000));
    let quiet = |callee| Plan { callee, outcome: None };
    match roll(0, 100) {
        0..=21 => quiet(Callee::RingForever),
        22..=31 => quiet(reject(486, "Busy here")),
        32..=36 => quiet(Callee::Reject { ring, code: 603, text: "Decline".into() }),
        37..=39 => quiet(reject(404, "Not Found")),
        40..=41 => quiet(reject(503, "Service Unavailable")),
        42..=53 => Plan { callee: Callee::Answer { ring, talk: Some(short) }, outcome: Some(Outcome::Voicemail) },
        54..=66 => Plan { callee: Callee::Answer { ring, talk: Some(talk) }, outcome: None },
        67..=78 => Plan { callee: Callee::Answer { ring, talk: Some(talk) }, outcome: Some(Outcome::Interested) },
        79..=92 => Plan { callee: Callee::Answer { ring, talk: Some(talk) }, outcome: Some(Outcome::NotInterested) },
        93..=97 => Plan { callee: Callee::Answer { ring, talk: Some(talk) }, outcome: Some(Outcome::Callback) },
        _ => Plan { callee: Callee::Answer { ring, talk: Some(short) }, outcome: Some(Outcome::DoNotCall) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_number_give_the_same_plan() {
        let mix = Behaviour::Mix { seed: 7 };
        assert_eq!(mix.plan("+12025550142", 0), mix.plan("+12025550142", 0));
        let answered = (0..1000).filter(|i| matches!(mix.plan(&format!("+1202555{i:04}"), 0).callee, Callee::Answer { .. })).count();
        assert!((450..700).contains(&answered), "{answered} of 1000 answer");
    }
}
