//! A call's row as the state machine and the counters look at it, and what a change writes into it.

use chrono::{DateTime, Duration, Utc};
use sqlx::types::Json;

use crate::{
    domain::{
        call::{self, Basis, Change, State},
        event::{Kind, Reply},
        stats::Tally,
    },
    store::CallRow,
};

/// Participant sids and carrier ids the event brings.
pub(super) fn note_identity(row: &mut CallRow, kind: &Kind) {
    let (sid, call_sid) = match kind {
        Kind::Leg { sid, call_sid, .. } | Kind::LegLeft { sid, call_sid, .. } => (Some(sid), call_sid.as_ref()),
        Kind::Reply(Reply::Answered { participant_sid, sip_call_id }) => {
            row.sip_call_id = Some(sip_call_id.clone());
            (Some(participant_sid), None)
        }
        _ => (None, None),
    };
    if row.participant_sid.is_none()
        && let Some(sid) = sid.filter(|s| !s.is_empty())
    {
        row.participant_sid = Some(sid.clone());
    }
    if row.call_sid.is_none() {
        row.call_sid = call_sid.cloned();
    }
}

/// Writes a change into the row's columns. `at` is when it happened, kept between what the row
/// already knows and now: tellers' clocks differ and round.
pub(super) fn change_row(row: &mut CallRow, c: &Change, at: DateTime<Utc>, now: DateTime<Utc>) {
    let at = at.clamp(row.armed_at.unwrap_or(at).min(now), now);
    row.reply_pending &= !c.reply_done;
    row.leg_seen |= c.leg_seen;
    row.ringing_seen |= c.ringing_seen;
    row.rejoined |= c.rejoined;
    if let Some((reason, status)) = c.note_left {
        (row.left_at, row.left_reason, row.left_status) = (Some(at), Some(Json(reason)), status.map(Json));
    }
    if c.ringing_seen && row.ringing_at.is_none() {
        row.ringing_at = Some(at);
    }
    if c.answered && row.answered_at.is_none() {
        row.answered_at = Some(row.left_at.map_or(at, |left| left.min(at)));
    }
    let Some(to) = c.to else { return };
    // What was only believed is dated anew by whoever knows; what was known keeps its time.
    let known = row.completed_at.filter(|_| !(row.state.is_ended() && row.basis == Some(Basis::Inferred)));
    row.state = to;
    row.basis = c.basis.or(row.basis);
    row.doubt = c.doubt.or(row.doubt);
    row.reason = c.reason.clone().unwrap_or_default();
    row.sip_code = c.sip_code.or(row.sip_code);
    row.charged = !c.uncharged && !to.never_rang();
    if to.is_ended() {
        let end = known.unwrap_or_else(|| row.left_at.unwrap_or(at));
        let end = end.max(row.answered_at.unwrap_or(end));
        row.completed_at = Some(end);
        row.lease_until = None;
        row.call_duration = row.answered_at.map_or(0, |a| (end - a).num_seconds());
    } else {
        row.completed_at = None;
        row.charged = true;
    }
}

/// A number whose call ended without proof is held until LiveKit's own bound on the call.
pub(super) fn held_until(row: &CallRow) -> Option<DateTime<Utc>> {
    // A trunk that did not answer SIP rang nobody.
    if row.basis != Some(Basis::Inferred) || row.state == State::Failed {
        return None;
    }
    row.armed_at.map(|t| t + Duration::seconds(row.ring_timeout_s + row.max_call_duration_s))
}

/// What the state machine looks at.
pub(super) fn facts(row: &CallRow) -> call::Facts<'_> {
    call::Facts {
        state: row.state,
        basis: row.basis,
        reply_pending: row.reply_pending,
        answered: row.answered_at.is_some(),
        ringing_seen: row.ringing_seen,
        hangup_requested: row.hangup_requested_at.is_some(),
        sid: row.participant_sid.as_deref(),
        rejoined: row.rejoined,
        left: row.left_reason.as_ref().map(|r| (r.0, row.left_status.as_ref().map(|s| s.0))),
    }
}

/// What the counters look at.
pub(super) fn tally(row: &CallRow) -> Tally {
    Tally {
        state: row.state,
        armed: row.armed_at.is_some(),
        leg_seen: row.leg_seen,
        answered: row.answered_at.is_some(),
        outcome: row.outcome,
        talk_seconds: row.call_duration,
    }
}
