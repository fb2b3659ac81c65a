//! The state machine of a call under any sequence of events: a plain model of the row is folded over
//! what `apply` says.

use dialdeck::domain::{
    call::{Basis, Change, Facts, State, apply},
    event::{End, Fault, Kind, Leave, LegStatus, Lost, Reply, TwilioStatus},
};
use proptest::prelude::*;

#[derive(Debug, Clone)]
struct Row {
    state: State,
    basis: Option<Basis>,
    reply_pending: bool,
    answered: bool,
    ringing_seen: bool,
    hangup: bool,
    sid: Option<String>,
    rejoined: bool,
    left: Option<(Leave, Option<LegStatus>)>,
}

impl Row {
    fn armed(hangup: bool) -> Self {
        Self { state: State::Armed, basis: None, reply_pending: true, answered: false, ringing_seen: false, hangup, sid: None, rejoined: false, left: None }
    }

    fn judge(&self, kind: &Kind) -> Change {
        let facts = Facts {
            state: self.state,
            basis: self.basis,
            reply_pending: self.reply_pending,
            answered: self.answered,
            ringing_seen: self.ringing_seen,
            hangup_requested: self.hangup,
            sid: self.sid.as_deref(),
            rejoined: self.rejoined,
            left: self.left,
        };
        apply(&facts, kind)
    }

    fn take(&mut self, kind: &Kind, c: &Change) {
        if let Kind::Leg { sid, .. } | Kind::LegLeft { sid, .. } | Kind::Reply(Reply::Answered { participant_sid: sid, .. }) = kind {
            self.sid.get_or_insert_with(|| sid.clone());
        }
        self.reply_pending &= !c.reply_done;
        self.answered |= c.answered;
        self.ringing_seen |= c.ringing_seen;
        self.rejoined |= c.rejoined;
        self.left = c.note_left.or(self.left);
        if let Some(to) = c.to {
            self.state = to;
            self.basis = c.basis.or(self.basis);
        }
    }
}

fn leg_status() -> impl Strategy<Value = Option<LegStatus>> {
    prop::sample::select(vec![None, Some(LegStatus::Dialing), Some(LegStatus::Ringing), Some(LegStatus::Active), Some(LegStatus::Hangup)])
}

fn leave() -> impl Strategy<Value = Leave> {
    prop::sample::select(vec![
        Leave::ClientInitiated,
        Leave::UserRejected,
        Leave::UserUnavailable,
        Leave::RoomDeleted,
        Leave::ParticipantRemoved,
        Leave::DuplicateIdentity,
        Leave::ConnectionTimeout,
        Leave::Other,
    ])
}

fn reply() -> impl Strategy<Value = Reply> {
    let ends =
        prop::sample::select(vec![End::Busy, End::NoAnswer, End::Rejected, End::WrongNumber, End::Failed, End::TrunkFailed, End::Misconfigured, End::Canceled]);
    let faults = prop::sample::select(vec![Fault::TokenExpired, Fault::Late, Fault::Login, Fault::Trunk, Fault::NoSip, Fault::Unreachable, Fault::Route]);
    prop_oneof![
        Just(Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }),
        (ends, prop::option::of(300i64..700)).prop_map(|(end, sip_code)| Reply::Ended { end, sip_code, reason: "x".into() }),
        Just(Reply::TimedOut { reason: "x".into() }),
        faults.prop_map(|fault| Reply::Unsent { fault, reason: "x".into() }),
        Just(Reply::Refused { reason: "x".into(), sip_code: None }),
        Just(Reply::Unknown { reason: "x".into() }),
    ]
}

fn event() -> impl Strategy<Value = Kind> {
    let sid = prop::sample::select(vec!["PA_1".to_owned(), "PA_2".to_owned()]);
    let twilio = prop::sample::select(vec![
        TwilioStatus::Queued,
        TwilioStatus::Ringing,
        TwilioStatus::InProgress,
        TwilioStatus::Completed,
        TwilioStatus::Busy,
        TwilioStatus::NoAnswer,
        TwilioStatus::Failed,
        TwilioStatus::Canceled,
    ]);
    prop_oneof![
        3 => (leg_status(), sid.clone(), any::<bool>()).prop_map(|(status, sid, polled)| Kind::Leg { status, sid, call_sid: None, polled }),
        2 => (leave(), leg_status(), sid).prop_map(|(reason, status, sid)| Kind::LegLeft { sid, reason, status, call_sid: None }),
        2 => reply().prop_map(Kind::Reply),
        1 => any::<bool>().prop_map(|proven| Kind::LegGone { proven }),
        1 => twilio.prop_map(|status| Kind::Twilio { status, duration: None, sip_code: None }),
        1 => prop::sample::select(vec![Kind::PresumedAnswered, Kind::SessionDead, Kind::HungUp, Kind::RoomFinished, Kind::Horizon, Kind::NotListed,
                                       Kind::ReplyLost { cause: Lost::NoReply }]),
    ]
}

/// One dial has one reply: what follows the first is left out.
fn one_reply(events: Vec<Kind>) -> Vec<Kind> {
    let mut replied = false;
    events.into_iter().filter(|e| !matches!(e, Kind::Reply(_)) || !std::mem::replace(&mut replied, true)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The rank grows but for the two named exceptions; an end is replaced by a surer one alone, or by an
    /// answer, which completes whatever it meets; a call somebody heard ring is never taken for one that
    /// did not; the same event again says nothing new.
    #[test]
    fn any_sequence_of_events_moves_a_call_forward(hangup: bool, events in prop::collection::vec(event(), 1..24)) {
        let mut row = Row::armed(hangup);
        for kind in one_reply(events) {
            let change = row.judge(&kind);
            let before = row.clone();
            row.take(&kind, &change);
            if let Some(to) = change.to {
                if change.reopened {
                    prop_assert!(before.state.rank() == 95 && to.rank() < 90, "{before:?} -> {to:?} by {kind:?}");
                } else if before.state.is_ended() && to == State::Completed && change.answered {
                    prop_assert!(row.basis >= before.basis, "{before:?} -> {to:?} by {kind:?}");
                } else if before.state.is_ended() {
                    prop_assert!(to.is_ended() && row.basis > before.basis, "{before:?} -> {to:?} by {kind:?}");
                } else {
                    prop_assert!(to.rank() > before.state.rank(), "{before:?} -> {to:?} by {kind:?}");
                }
                prop_assert!(!to.never_rang() || to == State::Refused || !(before.answered || before.ringing_seen), "{before:?} -> {to:?} by {kind:?}");
            }
            if change.answered {
                prop_assert!(!row.state.is_ended() || row.state == State::Completed, "spoke and is {row:?} by {kind:?}");
            }
            let again = row.judge(&kind).to;
            prop_assert!(again.is_none_or(|to| to == row.state || matches!(kind, Kind::Leg { .. } | Kind::LegLeft { .. } | Kind::Reply(_))), "{row:?} -> {again:?} again by {kind:?}");
        }
    }

    /// P12: whatever came before, a lost reply, a leg that is gone and the horizon end the call.
    #[test]
    fn p12_every_call_comes_to_an_end(hangup: bool, events in prop::collection::vec(event(), 0..16)) {
        let mut row = Row::armed(hangup);
        let last = [Kind::ReplyLost { cause: Lost::NoReply }, Kind::LegGone { proven: true }, Kind::Horizon];
        for kind in one_reply(events).into_iter().chain(last) {
            let change = row.judge(&kind);
            row.take(&kind, &change);
        }
        prop_assert!(row.state.is_ended(), "{row:?}");
    }
}
