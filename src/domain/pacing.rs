//! How many calls a campaign may begin now, and if none, until when and why.

use chrono::{DateTime, Duration, Utc};

/// What the plan looks at. Counts are of this campaign.
#[derive(Debug, Clone)]
pub struct Load {
    /// Calls on the line: armed to answered.
    pub live: i64,
    /// Calls claimed and being prepared.
    pub preparing: i64,
    pub max_concurrent: i64,
    pub call_delay_ms: i64,
    /// Earliest moment of the next dial by the call delay.
    pub next_call_at: Option<DateTime<Utc>>,
    /// Rows due now in zones open now.
    pub due: i64,
    /// Dials left under today's cap.
    pub cap_left: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Claim this many and prepare them.
    Dial(usize),
    /// Nothing now; look again at the moment, or when a bell rings.
    Wait(Option<DateTime<Utc>>),
}

/// Preparing a room and its agent takes about half a second; so much earlier than its dial a call
/// is claimed, so that the delay between dials is not lengthened by it.
const LEAD: Duration = Duration::milliseconds(1500);

#[must_use]
pub fn plan(now: DateTime<Utc>, load: &Load) -> Plan {
    let slots = (load.max_concurrent - load.live - load.preparing).min(load.due).min(load.cap_left - load.preparing);
    if slots <= 0 {
        return Plan::Wait(None);
    }
    if load.call_delay_ms == 0 {
        return Plan::Dial(usize::try_from(slots).unwrap_or(0));
    }
    let next = load.next_call_at.unwrap_or(now).max(now);
    // The calls already preparing take the next moments; this one would be after them.
    let delay = Duration::milliseconds(load.call_delay_ms);
    let mut turn = next + delay * i32::try_from(load.preparing).unwrap_or(i32::MAX);
    let mut n = 0;
    while n < slots && turn - LEAD <= now {
        n += 1;
        turn += delay;
    }
    if n > 0 { Plan::Dial(usize::try_from(n).unwrap_or(0)) } else { Plan::Wait(Some(turn - LEAD)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load() -> Load {
        Load { live: 0, preparing: 0, max_concurrent: 5, call_delay_ms: 2000, next_call_at: None, due: 100, cap_left: 100 }
    }

    #[test]
    fn one_at_a_time_under_a_delay() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(plan(now, &load()), Plan::Dial(1));
        let waiting = Load { next_call_at: Some(now + Duration::seconds(5)), ..load() };
        assert_eq!(plan(now, &waiting), Plan::Wait(Some(now + Duration::milliseconds(3500))));
        let preparing = Load { preparing: 1, ..load() };
        assert_eq!(plan(now, &preparing), Plan::Wait(Some(now + Duration::milliseconds(500))));
    }

    #[test]
    fn never_beyond_slots_due_rows_or_cap() {
        let now = DateTime::UNIX_EPOCH;
        let quick = Load { call_delay_ms: 0, ..load() };
        assert_eq!(plan(now, &quick), Plan::Dial(5));
        assert_eq!(plan(now, &Load { due: 2, ..quick.clone() }), Plan::Dial(2));
        assert_eq!(plan(now, &Load { cap_left: 3, preparing: 1, ..quick.clone() }), Plan::Dial(2));
        assert_eq!(plan(now, &Load { live: 4, preparing: 1, ..quick.clone() }), Plan::Wait(None));
        assert_eq!(plan(now, &Load { cap_left: 0, ..quick }), Plan::Wait(None));
    }
}
