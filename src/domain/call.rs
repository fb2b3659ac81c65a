//! The call: its states, and the one function that moves it. Events may come in any order and any
//! number of times; an update moves a call only where the rank grows, with two named exceptions:
//! evidence that a call believed never to have rung did ring, and an answer, after which no rule
//! may call that person again, whatever the call had been taken for.

mod state;

use serde::{Deserialize, Serialize};

pub use state::State;

use super::event::{Doubt, End, Fault, Kind, Leave, LegStatus, Lost, Reply, TwilioStatus};

/// The priority of a call that somebody asked for: no campaign claims it, an engine takes it at once or never.
pub const BY_HAND: i64 = 2;

/// How sure a result is. At equal rank a higher basis replaces result, code and reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "TEXT", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// By a deadline.
    Inferred,
    /// By LiveKit's events and polls.
    Livekit,
    /// By a SIP code.
    Carrier,
}

/// What of a row the state machine looks at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub state: State,
    pub basis: Option<Basis>,
    /// The dial request has been sent and its reply has not come: the reply classifies.
    pub reply_pending: bool,
    pub answered: bool,
    pub ringing_seen: bool,
    pub hangup_requested: bool,
    /// The leg's first participant sid.
    pub sid: Option<&'a str>,
    /// The leg rejoined under another sid: its status lies.
    pub rejoined: bool,
    /// A leave event noted while the reply was outstanding.
    pub left: Option<(Leave, Option<LegStatus>)>,
}

/// What an event does to a call. `None`s and `false`s leave the row as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    pub to: Option<State>,
    pub basis: Option<Basis>,
    pub sip_code: Option<i64>,
    pub reason: Option<String>,
    /// The result is the trunk's or our own fault: the attempt is not charged.
    pub uncharged: bool,
    /// Somebody picked up (now or before).
    pub answered: bool,
    pub ringing_seen: bool,
    pub leg_seen: bool,
    pub rejoined: bool,
    /// The leave is noted, the reply will classify.
    pub note_left: Option<(Leave, Option<LegStatus>)>,
    /// No reply is outstanding any more.
    pub reply_done: bool,
    /// Evidence moved a call that was believed never to have rung or to be unresolved.
    pub reopened: bool,
    /// The fault is our own configuration: the campaign goes to error.
    pub campaign_fault: Option<Fault>,
    /// A SIP code that proves the number does not exist.
    pub wrong_number: bool,
    /// Who left the call in doubt, where it is unknown from now on.
    pub doubt: Option<Doubt>,
}

/// Moves a call by one event. Pure and total: every state meets every event.
#[must_use]
pub fn apply(f: &Facts<'_>, kind: &Kind) -> Change {
    match kind {
        Kind::Reply(reply) => on_reply(f, reply),
        Kind::Leg { status, sid, polled, .. } => on_leg(f, *status, sid, *polled),
        Kind::LegLeft { reason, status, sid, .. } => on_left(f, *reason, *status, sid),
        Kind::LegGone { proven } => on_gone(f, *proven),
        Kind::SessionDead => on_session_dead(f),
        // A guess about a leg that is up says nothing of a call that has ended.
        Kind::PresumedAnswered if f.state.is_ended() => Change::default(),
        Kind::PresumedAnswered => forward(f, State::Answered, Basis::Inferred, false),
        Kind::HungUp => on_hung_up(f),
        Kind::RoomFinished => {
            if f.reply_pending || !f.state.is_open() {
                Change::default()
            } else {
                on_gone(f, true)
            }
        }
        Kind::Twilio { status, sip_code, .. } => on_twilio(f, *status, *sip_code),
        Kind::ReplyLost { cause } => on_reply_lost(f, *cause),
        Kind::NotListed => match f.state {
            State::Unknown | State::Armed if !f.ringing_seen => end(f, State::NotPlaced, Basis::Carrier, "the carrier's list shows no such call"),
            _ => Change::default(),
        },
        Kind::Horizon => match f.state {
            State::Unknown | State::Armed => end(f, State::Unresolved, Basis::Inferred, "no evidence by the last possible moment"),
            _ => Change::default(),
        },
        Kind::Report(_) | Kind::AgentLeft(_) | Kind::Other { .. } => Change::default(),
    }
}

/// Moves on to a live state where the rank grows, or reopens a call that rang after all. What was
/// unresolved is reopened only by what is seen now: a webhook may be late news of the same leg.
fn forward(f: &Facts<'_>, to: State, basis: Basis, now: bool) -> Change {
    if to == State::Answered
        && let Some(c) = answered_late(f, basis, now)
    {
        return c;
    }
    let reopened = matches!(f.state, State::Unsent | State::NotPlaced) || (now && f.state == State::Unresolved);
    let grows = f.state.rank() >= State::Armed.rank() && to.rank() > f.state.rank() && !f.state.is_ended();
    let mut c = Change { leg_seen: true, answered: to == State::Answered, ringing_seen: to == State::Ringing, ..Change::default() };
    if grows || reopened {
        c.to = Some(to);
        c.basis = Some(basis);
        c.reopened = reopened;
    }
    c
}

/// What an answer makes of a call that was believed over: whoever spoke is never called again by a
/// rule, so the call is completed and its next attempt is off, by whatever basis it had ended. `now`:
/// the answer is seen just now, so that a leg nobody follows is adopted instead. `None`: nothing of it
/// is late.
fn answered_late(f: &Facts<'_>, basis: Basis, now: bool) -> Option<Change> {
    #[expect(clippy::match_same_arms, reason = "each pair for its own reason")]
    match f.state {
        // Nothing is over, or they talked and that is known.
        State::Pending | State::Claimed | State::Armed | State::Unknown | State::Dialing | State::Ringing | State::Answered | State::Completed => None,
        State::Unresolved if !now => Some(completed_late(f, basis, "answered as it ended")),
        // Believed never to have rung: the leg is up, and is adopted.
        State::Unsent | State::NotPlaced | State::Unresolved => None,
        State::Busy | State::NoAnswer | State::Rejected | State::WrongNumber | State::Failed | State::Canceled | State::Refused => {
            Some(completed_late(f, basis, "answered as it ended"))
        }
    }
}

/// A call believed over was answered, and the talk is over too.
fn completed_late(f: &Facts<'_>, basis: Basis, reason: &str) -> Change {
    Change {
        to: Some(State::Completed),
        basis: Some(f.basis.map_or(basis, |b| b.max(basis))),
        reason: Some(reason.to_owned()),
        answered: true,
        leg_seen: true,
        reply_done: true,
        ..Change::default()
    }
}

/// A talk that is over: completes the call, whatever it had been taken for.
fn talked(f: &Facts<'_>, basis: Basis, reason: &str) -> Change {
    let c = match f.state {
        State::Unsent
        | State::NotPlaced
        | State::Unresolved
        | State::Busy
        | State::NoAnswer
        | State::Rejected
        | State::WrongNumber
        | State::Failed
        | State::Canceled
        | State::Refused => completed_late(f, basis, reason),
        // Of a talk that is known a surer source may tell how it ended.
        State::Completed | State::Armed | State::Unknown | State::Dialing | State::Ringing | State::Answered => end(f, State::Completed, basis, reason),
        State::Pending | State::Claimed => return Change::default(),
    };
    Change { answered: true, ..c }
}

/// Ends a call, or replaces the result of an ended one when the basis is higher.
fn end(f: &Facts<'_>, to: State, basis: Basis, reason: &str) -> Change {
    let replaces = f.state.is_ended() && f.state != State::Canceled && f.basis.is_none_or(|b| basis > b) && !to.never_rang();
    if f.state.rank() < State::Armed.rank() || (f.state.is_ended() && !replaces) {
        return Change::default();
    }
    Change { to: Some(to), basis: Some(basis), reason: Some(reason.to_owned()), reply_done: true, ..Change::default() }
}

fn on_leg(f: &Facts<'_>, status: Option<LegStatus>, sid: &str, polled: bool) -> Change {
    let rejoined = f.sid.is_some_and(|s| s != sid);
    let mut c = match status {
        Some(LegStatus::Hangup) => return on_left(f, Leave::ClientInitiated, status, sid),
        Some(LegStatus::Active) => forward(f, State::Answered, Basis::Livekit, polled),
        Some(LegStatus::Ringing) => forward(f, State::Ringing, Basis::Livekit, polled),
        Some(LegStatus::Dialing) | None => forward(f, State::Dialing, Basis::Livekit, polled),
    };
    c.rejoined = rejoined;
    c
}

fn on_left(f: &Facts<'_>, reason: Leave, status: Option<LegStatus>, sid: &str) -> Change {
    // The old leg of a double identity leaves while its successor stays.
    let superseded = reason == Leave::DuplicateIdentity || (f.rejoined && f.sid.is_some_and(|s| s == sid) && reason == Leave::ConnectionTimeout);
    if superseded || f.state.rank() < State::Armed.rank() {
        return Change::default();
    }
    let spoke = f.answered || matches!(status, Some(LegStatus::Active | LegStatus::Hangup));
    if f.reply_pending && !spoke && !f.state.is_ended() {
        return Change { note_left: Some((reason, status)), leg_seen: true, ..Change::default() };
    }
    classify_left(f, reason, status)
}

/// What a leave event alone says, where no reply will.
fn classify_left(f: &Facts<'_>, reason: Leave, status: Option<LegStatus>) -> Change {
    let spoke = f.answered || matches!(status, Some(LegStatus::Active | LegStatus::Hangup));
    if spoke {
        let words = match reason {
            Leave::ConnectionTimeout => "connection lost",
            Leave::RoomDeleted | Leave::ParticipantRemoved => "hung up by us",
            _ => "",
        };
        return talked(f, Basis::Livekit, words);
    }
    // The reply said that the trunk did not answer SIP: an end that knows no more than `dialing` is the
    // same news again. Only a ringing phone is other news, and our own hang-up.
    let silent_trunk = f.state == State::Failed && f.basis == Some(Basis::Inferred) && !f.ringing_seen && !f.rejoined;
    let ours = matches!(reason, Leave::RoomDeleted | Leave::ParticipantRemoved);
    if silent_trunk && !ours && matches!(status, None | Some(LegStatus::Dialing)) {
        return Change::default();
    }
    match reason {
        Leave::UserRejected => end(f, State::Rejected, Basis::Livekit, "declined or busy (no SIP code)"),
        Leave::UserUnavailable if f.hangup_requested => end(f, State::Canceled, Basis::Livekit, "hung up by us"),
        Leave::UserUnavailable => end(f, State::NoAnswer, Basis::Livekit, "no answer"),
        Leave::RoomDeleted | Leave::ParticipantRemoved => end(f, State::Canceled, Basis::Livekit, "hung up by us"),
        Leave::ClientInitiated => {
            let uncharged = !f.ringing_seen && !f.rejoined;
            Change { uncharged, ..end(f, State::Failed, Basis::Livekit, "the trunk ended the call before an answer") }
        }
        Leave::ConnectionTimeout | Leave::Other | Leave::DuplicateIdentity => end(f, State::Unresolved, Basis::Inferred, "the phone vanished before an answer"),
    }
}

fn on_gone(f: &Facts<'_>, proven: bool) -> Change {
    if !f.state.is_open() || (f.reply_pending && !f.answered) {
        return Change::default();
    }
    let basis = if proven { Basis::Livekit } else { Basis::Inferred };
    if f.answered {
        return end(f, State::Completed, basis, "");
    }
    if f.hangup_requested {
        return end(f, State::Canceled, basis, "hung up by us");
    }
    match f.left {
        Some((reason, status)) => classify_left(f, reason, status),
        None => end(f, State::Unresolved, Basis::Inferred, "the phone vanished before an answer"),
    }
}

/// LiveKit's rows say the leg is there, and its session is gone with the host that held it.
fn on_session_dead(f: &Facts<'_>) -> Change {
    if !f.state.is_open() || (f.reply_pending && !f.answered) {
        return Change::default();
    }
    if f.answered {
        return end(f, State::Completed, Basis::Inferred, "connection lost");
    }
    end(f, State::Unresolved, Basis::Inferred, "LiveKit lost the call before an answer was seen")
}

fn on_hung_up(f: &Facts<'_>) -> Change {
    if !f.state.is_open() {
        return Change::default();
    }
    let to = if f.answered { State::Completed } else { State::Canceled };
    end(f, to, Basis::Livekit, "hung up by us")
}

fn on_reply_lost(f: &Facts<'_>, cause: Lost) -> Change {
    in_doubt(f, cause.words(), cause.doubt())
}

/// No reply will tell how the dial went: what was noted decides, else nobody knows.
fn in_doubt(f: &Facts<'_>, why: &str, doubt: Doubt) -> Change {
    let done = Change { reply_done: true, ..Change::default() };
    if !f.state.is_open() || !f.reply_pending {
        return done;
    }
    if let Some((reason, status)) = f.left {
        return Change { reply_done: true, ..classify_left(&Facts { reply_pending: false, ..*f }, reason, status) };
    }
    if f.state == State::Armed {
        return Change { to: Some(State::Unknown), basis: Some(Basis::Inferred), reason: Some(why.to_owned()), doubt: Some(doubt), ..done };
    }
    done
}

fn on_reply(f: &Facts<'_>, reply: &Reply) -> Change {
    let c = match reply {
        Reply::Answered { .. } => on_answer(f),
        Reply::Ended { end: how, sip_code, reason } => on_end(f, *how, *sip_code, reason),
        Reply::TimedOut { reason } => on_timed_out(f, reason),
        Reply::Unsent { fault, reason } => {
            if matches!(f.state, State::Armed | State::Unknown) {
                let fault = matches!(fault, Fault::Login | Fault::Trunk | Fault::TokenExpired | Fault::NoSip).then_some(*fault);
                Change { uncharged: true, campaign_fault: fault, ..end(f, State::Unsent, Basis::Carrier, reason) }
            } else {
                Change::default()
            }
        }
        // They talk: what the trunk says of this INVITE is late news of another try.
        Reply::Refused { reason, sip_code } if f.answered => Change { sip_code: *sip_code, ..end(f, State::Completed, Basis::Carrier, reason) },
        Reply::Refused { reason, sip_code } => Change { uncharged: true, sip_code: *sip_code, ..end(f, State::Refused, Basis::Carrier, reason) },
        Reply::Unknown { reason } => in_doubt(&Facts { reply_pending: true, ..*f }, reason, Doubt::Network),
    };
    Change { reply_done: true, ..c }
}

fn on_answer(f: &Facts<'_>) -> Change {
    // A leave noted before the reply: they talked, and it is over.
    if f.left.is_some() && (!f.state.is_ended() || f.state == State::Unresolved) {
        return Change { answered: true, leg_seen: true, ..end(f, State::Completed, Basis::Livekit, "") };
    }
    forward(f, State::Answered, Basis::Carrier, true)
}

fn on_end(f: &Facts<'_>, how: End, sip_code: Option<i64>, reason: &str) -> Change {
    let (to, uncharged) = match how {
        End::Busy => (State::Busy, false),
        End::NoAnswer => (State::NoAnswer, false),
        End::Rejected => (State::Rejected, false),
        End::WrongNumber => (State::WrongNumber, false),
        End::Failed => (State::Failed, false),
        End::TrunkFailed | End::Misconfigured => (State::Failed, true),
        End::Canceled => (State::Canceled, false),
    };
    // They talked already: a late failure only says how the talk ended.
    let to = if f.answered { State::Completed } else { to };
    let mut c = end(f, to, Basis::Carrier, reason);
    if c.to.is_some() {
        c.sip_code = sip_code;
        c.uncharged = uncharged && !f.answered;
        c.wrong_number = how == End::WrongNumber;
        c.campaign_fault = (how == End::Misconfigured).then_some(Fault::Trunk);
    }
    c
}

fn on_timed_out(f: &Facts<'_>, reason: &str) -> Change {
    if f.answered {
        return end(f, State::Completed, Basis::Livekit, reason);
    }
    if f.hangup_requested || matches!(f.left, Some((Leave::RoomDeleted | Leave::ParticipantRemoved, _))) {
        return end(f, State::Canceled, Basis::Livekit, "hung up by us");
    }
    if f.ringing_seen || matches!(f.left, Some((_, Some(LegStatus::Ringing)))) {
        return end(f, State::NoAnswer, Basis::Livekit, "no answer");
    }
    // Read off what was not seen: a leave event that comes later knows better.
    Change { uncharged: true, ..end(f, State::Failed, Basis::Inferred, "the trunk did not answer SIP") }
}

fn on_twilio(f: &Facts<'_>, status: TwilioStatus, sip_code: Option<i64>) -> Change {
    // Who talked has talked: what comes later only says how it ended, and what ended stays ended.
    let ended = |to, reason| {
        if f.answered && f.state.is_ended() {
            return Change::default();
        }
        Change { sip_code, ..end(f, if f.answered { State::Completed } else { to }, Basis::Carrier, reason) }
    };
    match status {
        TwilioStatus::Queued => forward(f, State::Dialing, Basis::Carrier, true),
        TwilioStatus::Ringing => forward(f, State::Ringing, Basis::Carrier, true),
        TwilioStatus::InProgress => forward(f, State::Answered, Basis::Carrier, true),
        TwilioStatus::Completed if f.state == State::Completed => Change { answered: true, ..Change::default() },
        TwilioStatus::Completed => Change { sip_code, ..talked(f, Basis::Carrier, "") },
        TwilioStatus::Busy => ended(State::Busy, "busy"),
        TwilioStatus::NoAnswer => ended(State::NoAnswer, "no answer"),
        TwilioStatus::Failed => ended(State::Failed, "failed at the carrier"),
        TwilioStatus::Canceled => ended(State::Canceled, "hung up before the answer"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(state: State) -> Facts<'static> {
        Facts {
            state,
            basis: None,
            reply_pending: state == State::Armed,
            answered: state == State::Answered,
            ringing_seen: false,
            hangup_requested: false,
            sid: None,
            rejoined: false,
            left: None,
        }
    }

    fn leg(status: LegStatus) -> Kind {
        Kind::Leg { status: Some(status), sid: "PA_1".into(), call_sid: None, polled: true }
    }

    fn left(reason: Leave, status: LegStatus) -> Kind {
        Kind::LegLeft { sid: "PA_1".into(), reason, status: Some(status), call_sid: None }
    }

    fn ended(how: End, code: i64) -> Kind {
        Kind::Reply(Reply::Ended { end: how, sip_code: Some(code), reason: "x".into() })
    }

    #[test]
    fn status_only_moves_forward() {
        assert_eq!(apply(&at(State::Armed), &leg(LegStatus::Ringing)).to, Some(State::Ringing));
        assert_eq!(apply(&at(State::Answered), &leg(LegStatus::Ringing)).to, None);
        assert_eq!(apply(&at(State::Completed), &leg(LegStatus::Active)).to, None);
        assert_eq!(apply(&at(State::Pending), &leg(LegStatus::Active)).to, None, "nothing rings before arm");
    }

    #[test]
    fn while_the_reply_is_outstanding_a_leave_only_notes() {
        let noted = apply(&at(State::Armed), &left(Leave::UserRejected, LegStatus::Dialing));
        assert_eq!((noted.to, noted.note_left), (None, Some((Leave::UserRejected, Some(LegStatus::Dialing)))));
        let f = Facts { left: noted.note_left, ..at(State::Armed) };
        let c = apply(&f, &ended(End::Busy, 486));
        assert_eq!((c.to, c.basis, c.sip_code), (Some(State::Busy), Some(Basis::Carrier), Some(486)));
    }

    #[test]
    fn after_the_reply_is_lost_the_noted_leave_decides() {
        let f = Facts { left: Some((Leave::UserUnavailable, Some(LegStatus::Ringing))), ..at(State::Ringing) };
        let f = Facts { reply_pending: true, ..f };
        assert_eq!(apply(&f, &Kind::ReplyLost { cause: Lost::NoReply }).to, Some(State::NoAnswer));
        assert_eq!(apply(&at(State::Armed), &Kind::ReplyLost { cause: Lost::NoReply }).to, Some(State::Unknown));
    }

    #[test]
    fn a_reply_after_the_leave_of_an_answered_call_completes_it() {
        let f = Facts { left: Some((Leave::ClientInitiated, None)), ..at(State::Armed) };
        let c = apply(&f, &Kind::Reply(Reply::Answered { participant_sid: String::new(), sip_call_id: String::new() }));
        assert_eq!((c.to, c.answered), (Some(State::Completed), true));
    }

    #[test]
    fn a_higher_basis_replaces_a_result_and_a_lower_does_not() {
        let livekit = Facts { basis: Some(Basis::Livekit), ..at(State::NoAnswer) };
        assert_eq!(apply(&livekit, &ended(End::Busy, 486)).to, Some(State::Busy));
        let carrier = Facts { basis: Some(Basis::Carrier), ..at(State::Busy) };
        assert_eq!(apply(&carrier, &left(Leave::UserUnavailable, LegStatus::Ringing)).to, None);
    }

    #[test]
    fn a_connection_lost_before_an_answer_is_unresolved_and_after_one_completed() {
        let gone = left(Leave::ConnectionTimeout, LegStatus::Ringing);
        assert_eq!(apply(&at(State::Ringing), &gone).to, Some(State::Unresolved));
        let c = apply(&at(State::Answered), &gone);
        assert_eq!((c.to, c.reason.as_deref()), (Some(State::Completed), Some("connection lost")));
    }

    #[test]
    fn a_timeout_without_a_code_is_read_by_the_calls_own_history() {
        let out = Kind::Reply(Reply::TimedOut { reason: "sip request timed out".into() });
        assert_eq!(apply(&Facts { ringing_seen: true, ..at(State::Ringing) }, &out).to, Some(State::NoAnswer));
        let dead = apply(&at(State::Armed), &out);
        assert_eq!((dead.to, dead.uncharged), (Some(State::Failed), true));
        assert_eq!(apply(&Facts { hangup_requested: true, ..at(State::Ringing) }, &out).to, Some(State::Canceled));
    }

    #[test]
    fn evidence_reopens_a_call_believed_never_to_have_rung() {
        for state in [State::Unsent, State::NotPlaced, State::Unresolved] {
            let c = apply(&at(state), &leg(LegStatus::Ringing));
            assert_eq!((c.to, c.reopened), (Some(State::Ringing), true), "{state:?}");
        }
    }

    #[test]
    fn a_room_that_finishes_while_the_reply_is_out_says_nothing() {
        assert_eq!(apply(&at(State::Armed), &Kind::RoomFinished), Change::default());
        assert_eq!(apply(&at(State::Answered), &Kind::RoomFinished).to, Some(State::Completed));
    }

    #[test]
    fn a_carriers_late_no_answer_does_not_undo_an_answer() {
        let late = Kind::Twilio { status: TwilioStatus::NoAnswer, duration: None, sip_code: None };
        assert_eq!(apply(&at(State::Answered), &late).to, Some(State::Completed));
        let over = Facts { answered: true, basis: Some(Basis::Livekit), ..at(State::Completed) };
        assert_eq!(apply(&over, &late), Change::default());
    }

    #[test]
    fn unsent_is_believed_only_of_a_call_nobody_saw() {
        let unsent = Kind::Reply(Reply::Unsent { fault: Fault::NoSip, reason: "x".into() });
        assert_eq!(apply(&at(State::Armed), &unsent).to, Some(State::Unsent));
        assert_eq!(apply(&at(State::Ringing), &unsent).to, None);
    }
}
