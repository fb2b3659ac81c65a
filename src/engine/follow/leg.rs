//! A leg that is listed: what its status says, whether it can be believed, and whether an agent is
//! with it. A host that died leaves its rows: they are told from a leg by asking the session itself.

use chrono::{DateTime, Duration, Utc};

use super::{Engine, Follow, Next, RINGING_POLL};
use crate::{
    desk::Actor,
    domain::{
        call::State,
        event::{Kind, Leave, LegStatus, Source},
    },
    failpoint::reach,
    store::CallRow,
    telephony::Participant,
};

/// A talk without an agent is looked at so often, and ended after so long.
pub(super) const ALONE_POLL: Duration = Duration::seconds(1);
const ALONE_FOR: Duration = Duration::seconds(4);

/// An unanswered leg is ended by livekit-sip itself at its ringing timeout: one that rejoined and is
/// there so much later has been answered, whatever its status says.
const REJOINED_MARGIN: Duration = Duration::seconds(5);
/// One that never rejoined may be a dead SIP service's, listed for 20 s more.
const FIRST_SID_MARGIN: Duration = Duration::seconds(25);

/// Between two times of asking for a session that did not answer: a leg that lives through a restart
/// rejoins within 5 s, and its session answers from then on.
const ASK_AGAIN: Duration = Duration::seconds(10);

/// Whether what is listed of a leg can be believed.
#[derive(Default)]
pub(super) struct Doubted {
    /// LiveKit could not be asked for a while, or another engine followed: its host may have died.
    pub(super) unseen: bool,
    /// `DeleteRoom` could not find where the room lives.
    pub(super) astray: bool,
    /// The session was asked last.
    asked_at: Option<DateTime<Utc>>,
    /// It did not answer, for the first time then.
    silent_since: Option<DateTime<Utc>>,
    /// It is known to be dead: what is listed are rows.
    pub(super) buried: bool,
}

impl Doubted {
    pub(super) fn unseen() -> Self {
        Self { unseen: true, ..Self::default() }
    }
}

/// What a session that was asked is.
enum Session {
    Lives,
    Dead,
    /// Not asked now, or no answer that says anything.
    Open,
}

impl Follow {
    /// The leg was seen to do something, or its session answered.
    fn believe(&mut self, now: DateTime<Utc>) {
        self.alive_at = now;
        self.doubt = Doubted { asked_at: self.doubt.asked_at, ..Doubted::default() };
    }

    fn is_suspect(&self, row: &CallRow, leg: &Participant, now: DateTime<Utc>) -> bool {
        if self.reply_out {
            return false;
        }
        let overdue = !has_answered(row, leg) && !has_rejoined(row, leg) && now > self.armed_at + self.ring_timeout + FIRST_SID_MARGIN;
        overdue || self.doubt.unseen || self.doubt.astray || now > self.longest()
    }
}

fn has_rejoined(row: &CallRow, leg: &Participant) -> bool {
    row.rejoined || row.participant_sid.as_ref().is_some_and(|s| *s != leg.sid)
}

fn has_answered(row: &CallRow, leg: &Participant) -> bool {
    row.answered_at.is_some() || row.state == State::Answered || leg.leg_status() == Some(LegStatus::Active)
}

impl Engine {
    pub(super) async fn see_leg(&self, f: &mut Follow, row: &CallRow, leg: &Participant) -> Next {
        (f.missed, f.gone_since, f.absent) = (None, None, None);
        self.sip_seen(f.armed_at).await;
        self.tell_status(f, leg).await;
        let now = self.clock.now();
        if f.is_suspect(row, leg, now) {
            match self.ask_session(f).await {
                Session::Dead => return Next::Again(Duration::zero()),
                Session::Lives => self.presume_answered(f, row, leg, FIRST_SID_MARGIN).await,
                Session::Open => {}
            }
        } else {
            f.alive_at = now;
        }
        if has_rejoined(row, leg) {
            self.presume_answered(f, row, leg, REJOINED_MARGIN).await;
        }
        if now > f.bound() {
            // Listed beyond any bound by a LiveKit that says it lives: a lie.
            self.clear(f).await;
            self.tell_of(f, Source::Engine, Kind::LegGone { proven: false }, f.alive_at).await;
            return Next::Again(super::ending::REPORT_POLL);
        }
        if f.hangup.is_some() {
            return Next::Again(f.hangup_pause(now));
        }
        Next::Again(if has_answered(row, leg) { self.talking_poll() } else { RINGING_POLL })
    }

    async fn tell_status(&self, f: &mut Follow, leg: &Participant) {
        let status = leg.leg_status();
        let news = (leg.sid.clone(), status);
        if f.seen.as_ref() == Some(&news) {
            return;
        }
        let rejoined = f.seen.as_ref().is_some_and(|(sid, _)| *sid != leg.sid);
        let moved = f.seen.replace(news).is_some();
        // Something wrote it since the last look; what was written before a host's death proves nothing.
        if rejoined || (moved && !f.doubt.unseen) {
            f.believe(self.clock.now());
        }
        let kind = if status == Some(LegStatus::Hangup) {
            Kind::LegLeft { sid: leg.sid.clone(), reason: Leave::ClientInitiated, status, call_sid: leg.call_sid() }
        } else {
            Kind::Leg { status, sid: leg.sid.clone(), call_sid: leg.call_sid(), polled: true }
        };
        self.tell(f, Source::Poll, kind).await;
        reach(match status {
            Some(LegStatus::Active) => "follow.answered",
            _ => "dial.ringing",
        });
    }

    /// A status that lies: a leg that rejoined says `dialing` to its end. What holds is that
    /// livekit-sip itself ends an unanswered leg at its ringing timeout.
    async fn presume_answered(&self, f: &Follow, row: &CallRow, leg: &Participant, margin: Duration) {
        let over = self.clock.now() > f.armed_at + f.ring_timeout + margin;
        if over && !f.reply_out && !has_answered(row, leg) {
            self.tell(f, Source::Engine, Kind::PresumedAnswered).await;
        }
    }

    /// Asks a session that is doubted whether it lives. It is dead when it was silent twice: between
    /// the two a leg that lives through its server's death would have rejoined.
    async fn ask_session(&self, f: &mut Follow) -> Session {
        let now = self.clock.now();
        if f.doubt.asked_at.is_some_and(|t| now - t < ASK_AGAIN) {
            return Session::Open;
        }
        match self.carrier.lives(f.room.clone()).await {
            Ok(true) => {
                f.believe(self.clock.now());
                f.doubt.asked_at = Some(self.clock.now());
                Session::Lives
            }
            Ok(false) if f.doubt.silent_since.is_some_and(|t| now - t >= ASK_AGAIN) => {
                self.bury(f).await;
                Session::Dead
            }
            Ok(false) => {
                f.doubt.silent_since.get_or_insert(now);
                f.doubt.asked_at = Some(now);
                Session::Open
            }
            Err(e) => {
                tracing::debug!(target: "engine", call = %f.call, error = %e, "whether a session lives could not be asked");
                f.doubt.asked_at = Some(now);
                Session::Open
            }
        }
    }

    /// What is listed are the rows of a session that died with its host.
    async fn bury(&self, f: &mut Follow) {
        f.doubt.buried = true;
        self.buried.lock().insert(f.room.clone());
        tracing::error!(target: "engine", call = %f.call, "LiveKit lists a call whose session is gone; the phone may hang on at the carrier");
        self.tell_of(f, Source::Engine, Kind::SessionDead, f.alive_at).await;
    }

    /// A room that cannot be hung up and lists nobody: a dead session's too?
    pub(super) async fn is_buried(&self, f: &mut Follow) -> bool {
        f.doubt.astray && matches!(self.ask_session(f).await, Session::Dead)
    }

    /// Somebody answered and the agent has left the room: after a moment the call is ended, for nobody
    /// will speak. An agent that told an outcome has done its work: then it is no abandoned call.
    pub(super) async fn see_whether_alone(&self, f: &mut Follow, row: &CallRow, leg: &Participant, here: &[Participant]) -> bool {
        let talking = row.answered_at.is_some() || leg.leg_status() == Some(LegStatus::Active);
        let agent = here.iter().any(|p| p.is_agent(&f.agent));
        if !self.config.require_agent || !talking || agent || f.hangup.is_some() {
            f.alone_since = None;
            return false;
        }
        let now = self.clock.now();
        let since = *f.alone_since.get_or_insert(now);
        if now - since < ALONE_FOR {
            return true;
        }
        tracing::error!(target: "engine", call = %f.call, "somebody is on the line without an agent: hung up");
        let told = f.reported.outcome.is_some() || row.suggestion.is_some() || row.outcome.is_some();
        let done = if told { self.desk.hang_up(Actor::engine(row.user_id), f.call).await } else { self.desk.abandon(f.call).await };
        if let Err(e) = done {
            tracing::warn!(target: "engine", error = %e, "a call without an agent could not be ended yet");
        }
        true
    }

    /// The agent's attributes are its report: what was seen last is kept.
    pub(super) async fn see_agent(&self, f: &mut Follow, here: &[Participant]) {
        let Some(agent) = here.iter().find(|p| p.is_agent(&f.agent)) else { return };
        let report = agent.report();
        if report.is_empty() || report == f.reported {
            return;
        }
        if let Some(told) = report.strange.as_ref().filter(|s| f.reported.strange.as_ref() != Some(*s)) {
            tracing::warn!(target: "engine", call = %f.call, "the agent told the outcome \"{told}\", which is none of the six: it is not taken");
        }
        f.reported = report.clone();
        self.tell(f, Source::Poll, Kind::Report(report)).await;
    }
}
