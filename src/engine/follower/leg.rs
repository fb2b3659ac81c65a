//! A leg that is listed: what its status says, whether it can be believed, and whether an agent is
//! with it. A host that died leaves its rows: they are told from a leg by asking the session itself.

use chrono::{DateTime, Duration, Utc};

use super::{Follower, Next, RINGING_POLL};
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

/// A talk without an agent is looked at so often, and ended so long after the answer: the law's two seconds.
const ALONE_POLL: Duration = Duration::seconds(1);
const ALONE_FOR: Duration = Duration::seconds(2);

/// An unanswered leg is ended by livekit-sip itself at its ringing timeout: one that rejoined and is
/// there so much later has been answered, whatever its status says.
const REJOINED_MARGIN: Duration = Duration::seconds(5);
/// One that never rejoined may be a dead SIP service's, listed for 20 s more.
const FIRST_SID_MARGIN: Duration = Duration::seconds(25);

/// Between two times of asking for a session that did not answer: a leg that lives through a restart
/// rejoins within 5 s, and its session answers from then on.
const ASK_AGAIN: Duration = Duration::seconds(10);

/// What a session that was asked is.
enum Session {
    Lives,
    Dead,
    /// Not asked now, or no answer that says anything.
    Open,
}

fn has_rejoined(row: &CallRow, leg: &Participant) -> bool {
    row.rejoined || row.participant_sid.as_ref().is_some_and(|s| *s != leg.sid)
}

fn has_answered(row: &CallRow, leg: &Participant) -> bool {
    row.answered_at.is_some() || row.state == State::Answered || leg.leg_status() == Some(LegStatus::Active)
}

impl Follower {
    fn is_suspect(&self, row: &CallRow, leg: &Participant, now: DateTime<Utc>) -> bool {
        let f = &self.f;
        if f.reply_out {
            return false;
        }
        let overdue = !has_answered(row, leg) && !has_rejoined(row, leg) && now > f.armed_at + f.ring_timeout + FIRST_SID_MARGIN;
        overdue || f.doubt.unseen || f.doubt.astray || now > f.longest()
    }

    pub(super) async fn see_leg(&mut self, row: &CallRow, leg: &Participant) -> Next {
        (self.f.missed, self.f.gone_since, self.f.absent) = (None, None, None);
        self.health.sip_seen(self.f.armed_at).await;
        self.tell_status(leg).await;
        let now = self.ctx.now();
        if self.is_suspect(row, leg, now) {
            match self.ask_session().await {
                Session::Dead => return Next::Again(Duration::zero()),
                Session::Lives => self.presume_answered(row, leg, FIRST_SID_MARGIN).await,
                Session::Open => {}
            }
        } else {
            self.f.alive_at = now;
        }
        if has_rejoined(row, leg) {
            self.presume_answered(row, leg, REJOINED_MARGIN).await;
        }
        if now > self.f.bound() {
            // Listed beyond any bound by a LiveKit that says it lives: a lie.
            self.clear().await;
            self.tell_of(Source::Engine, Kind::LegGone { proven: false }, self.f.alive_at).await;
            return Next::Again(super::ending::REPORT_POLL);
        }
        if self.f.hangup.is_some() {
            return Next::Again(self.f.hangup_pause(now));
        }
        Next::Again(if has_answered(row, leg) { self.talking_poll() } else { RINGING_POLL })
    }

    async fn tell_status(&mut self, leg: &Participant) {
        let status = leg.leg_status();
        let news = (leg.sid.clone(), status);
        if self.f.seen.as_ref() == Some(&news) {
            return;
        }
        let rejoined = self.f.seen.as_ref().is_some_and(|(sid, _)| *sid != leg.sid);
        let moved = self.f.seen.replace(news).is_some();
        // Something wrote it since the last look; what was written before a host's death proves nothing.
        if rejoined || (moved && !self.f.doubt.unseen) {
            self.f.believe(self.ctx.now());
        }
        let kind = if status == Some(LegStatus::Hangup) {
            Kind::LegLeft { sid: leg.sid.clone(), reason: Leave::ClientInitiated, status, call_sid: leg.call_sid() }
        } else {
            Kind::Leg { status, sid: leg.sid.clone(), call_sid: leg.call_sid(), polled: true }
        };
        self.tell(Source::Poll, kind).await;
        if status == Some(LegStatus::Active) {
            self.calls.answered.notify_one();
        }
        reach(match status {
            Some(LegStatus::Active) => "follow.answered",
            _ => "dial.ringing",
        });
    }

    /// A status that lies: a leg that rejoined says `dialing` to its end. What holds is that
    /// livekit-sip itself ends an unanswered leg at its ringing timeout.
    async fn presume_answered(&self, row: &CallRow, leg: &Participant, margin: Duration) {
        let over = self.ctx.now() > self.f.armed_at + self.f.ring_timeout + margin;
        if over && !self.f.reply_out && !has_answered(row, leg) {
            self.tell(Source::Engine, Kind::PresumedAnswered).await;
        }
    }

    /// Asks a session that is doubted whether it lives. It is dead when it was silent twice: between
    /// the two a leg that lives through its server's death would have rejoined.
    async fn ask_session(&mut self) -> Session {
        let now = self.ctx.now();
        if self.f.doubt.asked_at.is_some_and(|t| now - t < ASK_AGAIN) {
            return Session::Open;
        }
        match self.ctx.carrier.lives(self.f.room.clone()).await {
            Ok(true) => {
                self.f.believe(self.ctx.now());
                self.f.doubt.asked_at = Some(self.ctx.now());
                Session::Lives
            }
            Ok(false) if self.f.doubt.silent_since.is_some_and(|t| now - t >= ASK_AGAIN) => {
                self.bury().await;
                Session::Dead
            }
            Ok(false) => {
                self.f.doubt.silent_since.get_or_insert(now);
                self.f.doubt.asked_at = Some(now);
                Session::Open
            }
            Err(e) => {
                tracing::debug!(target: "engine", call = %self.f.call, error = %e, "whether a session lives could not be asked");
                self.f.doubt.asked_at = Some(now);
                Session::Open
            }
        }
    }

    /// What is listed are the rows of a session that died with its host.
    async fn bury(&mut self) {
        self.f.doubt.buried = true;
        self.calls.following.bury(self.f.room.clone());
        tracing::error!(target: "engine", call = %self.f.call, "LiveKit lists a call whose session is gone; the phone may hang on at the carrier");
        self.tell_of(Source::Engine, Kind::SessionDead, self.f.alive_at).await;
    }

    /// A room that cannot be hung up and lists nobody: a dead session's too?
    pub(super) async fn is_buried(&mut self) -> bool {
        self.f.doubt.astray && matches!(self.ask_session().await, Session::Dead)
    }

    /// Somebody answered and no agent is there to speak: two seconds after the answer the call is ended. The
    /// absence counts from the first look that shows it, for until then the agent may have been there. An agent
    /// that told an outcome has done its work: then it is no abandoned call. Answers when to look again.
    pub(super) async fn see_whether_alone(&mut self, row: &CallRow, leg: &Participant, here: &[Participant]) -> Option<Duration> {
        let agent = here.iter().any(|p| p.is_agent(&self.f.agent) && p.is_set_up());
        if !self.ctx.config.require_agent || agent || self.f.hangup.is_some() {
            self.f.alone_since = None;
            return None;
        }
        let now = self.ctx.now();
        let since = *self.f.alone_since.get_or_insert(now);
        let answered_at = row.answered_at.or_else(|| (leg.leg_status() == Some(LegStatus::Active)).then_some(now))?;
        let left = since.max(answered_at) + ALONE_FOR - now;
        if left > Duration::zero() {
            return Some(left.min(ALONE_POLL));
        }
        tracing::error!(target: "engine", call = %self.f.call, "somebody is on the line without an agent: hung up");
        let told = self.f.reported.outcome.is_some() || row.suggestion.is_some() || row.outcome.is_some();
        let done = if told { self.ctx.desk.hang_up(Actor::engine(row.user_id), self.f.call).await } else { self.ctx.desk.abandon(self.f.call).await };
        if let Err(e) = done {
            tracing::warn!(target: "engine", error = %e, "a call without an agent could not be ended yet");
        }
        Some(ALONE_POLL)
    }

    /// The agent's attributes are its report: what was seen last is kept.
    pub(super) async fn see_agent(&mut self, here: &[Participant]) {
        let Some(agent) = here.iter().find(|p| p.is_agent(&self.f.agent)) else { return };
        let report = agent.report();
        if report.is_empty() || report == self.f.reported {
            return;
        }
        if let Some(told) = report.strange.as_ref().filter(|s| self.f.reported.strange.as_ref() != Some(*s)) {
            tracing::warn!(target: "engine", call = %self.f.call, "the agent told the outcome \"{told}\", which is none of the six: it is not taken");
        }
        self.f.reported = report.clone();
        self.tell(Source::Poll, Kind::Report(report)).await;
    }
}
