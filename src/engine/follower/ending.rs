//! A leg that is not listed, and what follows when a call is over. An end is dated to the first look
//! that missed the leg, never to when it was believed.

use chrono::{DateTime, Duration, Utc};

use super::{Follower, Next, RINGING_POLL};
use crate::{
    domain::{
        call::State,
        event::{Kind, LegStatus, Source},
    },
    failpoint::reach,
    store::CallRow,
    telephony::{Participant, twilio_calls::goes_by_twilio},
};

/// After the callee left: until the agent has told its report and gone.
pub(super) const REPORT_POLL: Duration = Duration::seconds(2);
const REPORT_LIMIT: Duration = Duration::seconds(30);
/// A leg that is gone is looked for again after this, before it is believed.
const GONE_POLL: Duration = Duration::seconds(3);
/// A room that is gone from both lists is believed after three looks over this time.
const ABSENT_FOR: Duration = Duration::seconds(10);
/// A room without a phone closes within about this. One that was there longer lived on unlisted, and
/// its end is when it was missed itself.
const DRAINS_WITHIN: Duration = Duration::seconds(30);

impl Follower {
    /// LiveKit cannot be asked: only its own bound on the call helps.
    pub(super) async fn blind(&mut self, row: &CallRow) -> Next {
        let now = self.ctx.now();
        self.f.doubt.unseen = true;
        // An agent that nobody could see may have been there.
        self.f.alone_since = None;
        if row.state.is_ended() {
            // A report that cannot be fetched is waited for no longer than any other.
            let ended = *self.f.ended_at.get_or_insert(now);
            let over = now - ended > REPORT_LIMIT && !self.f.reply_out;
            return if over { Next::Done } else { Next::Again(REPORT_POLL) };
        }
        if now > self.f.bound() {
            self.end_by_bound(row, self.f.missed.unwrap_or(self.f.alive_at)).await;
        }
        Next::Again(RINGING_POLL * 2)
    }

    async fn end_by_bound(&self, row: &CallRow, at: DateTime<Utc>) {
        let kind = if row.state == State::Unknown || row.state == State::Armed { Kind::Horizon } else { Kind::LegGone { proven: false } };
        self.tell_of(Source::Engine, kind, at).await;
    }

    pub(super) async fn see_no_leg(&mut self, row: &CallRow, here: &[Participant]) -> Next {
        let now = self.ctx.now();
        if self.f.reply_out {
            return Next::Again(if self.f.hangup.is_some() { self.f.hangup_pause(now) } else { RINGING_POLL });
        }
        let missed = *self.f.missed.get_or_insert(now);
        if let Some(hangup) = &self.f.hangup {
            // Without the dial's own reply the request may still be on its way: not before its deadline.
            if hangup.taken && (row.sip_call_id.is_some() || now >= self.f.deadline) {
                self.tell_of(Source::Poll, Kind::HungUp, missed).await;
                return Next::Again(Duration::zero());
            }
            if self.is_buried().await {
                return Next::Again(Duration::zero());
            }
            if now > self.f.bound() {
                self.end_by_bound(row, missed).await;
            }
            return Next::Again(self.f.hangup_pause(now));
        }
        if row.state == State::Unknown && !row.leg_seen {
            if now > self.f.armed_at + self.ctx.config.unknown_horizon {
                let kind = if self.not_listed(row).await { Kind::NotListed } else { Kind::Horizon };
                self.tell(Source::Engine, kind).await;
                self.clear().await;
                return Next::Done;
            }
            return Next::Again(RINGING_POLL * 2);
        }
        // A supervisor who is listed proves as well that the list is no empty lie.
        if here.iter().any(|p| p.is_agent(&self.f.agent) || p.is_supervisor()) {
            self.f.absent = None;
            if now - *self.f.gone_since.get_or_insert(now) >= GONE_POLL {
                self.tell_of(Source::Poll, Kind::LegGone { proven: true }, missed).await;
                return Next::Again(REPORT_POLL);
            }
            return Next::Again(GONE_POLL);
        }
        self.see_empty(row, missed).await
    }

    /// Whether Twilio's own list proves that the call was never placed: asked only after the last
    /// moment at which it could have been.
    async fn not_listed(&self, row: &CallRow) -> bool {
        let Some(list) = &self.ctx.config.call_list else { return false };
        let trunks = match self.ctx.desk.store().trunks().await {
            Ok(trunks) => trunks,
            Err(e) => {
                tracing::warn!(target: "engine", error = %e, "the trunks cannot be read: the carrier's list proves nothing");
                return false;
            }
        };
        if !trunks.iter().any(|t| Some(t.id) == row.trunk_id && goes_by_twilio(&t.address)) {
            return false;
        }
        match list.shows_no_call(&row.phone_number, self.f.armed_at).await {
            Ok(none) => none,
            Err(e) => {
                tracing::warn!(target: "engine", "Twilio's list of calls cannot be read: {e}");
                false
            }
        }
    }

    /// The list is empty: the call is over only if the room is gone from the other list too, three
    /// times over ten seconds. An empty list of a room that exists is a Redis that lost its data.
    async fn see_empty(&mut self, row: &CallRow, missed: DateTime<Utc>) -> Next {
        let now = self.ctx.now();
        self.f.gone_since = None;
        let exists = match self.ctx.carrier.rooms(vec![self.f.room.clone()]).await {
            Ok(names) => names.contains(&self.f.room),
            Err(e) => {
                self.health.network_failed(&e).await;
                return self.blind(row).await;
            }
        };
        if exists {
            self.f.absent = None;
            if now > self.f.bound() {
                self.end_by_bound(row, missed).await;
            }
            return Next::Again(GONE_POLL);
        }
        let (since, looks) = self.f.absent.map_or((now, 1), |(since, n)| (since, n + 1));
        self.f.absent = Some((since, looks));
        if looks >= 3 && now - since >= ABSENT_FOR {
            let at = if since - missed > DRAINS_WITHIN { since } else { missed };
            self.end_by_bound(row, at).await;
            return Next::Again(Duration::zero());
        }
        Next::Again(ABSENT_FOR / 2)
    }

    /// The callee has left: the agent's attributes are its report, as long as it stays.
    pub(super) async fn after_the_end(&mut self, row: &CallRow, here: &[Participant]) -> Next {
        if self.f.doubt.buried {
            return Next::Done;
        }
        let now = self.ctx.now();
        self.send_supervisors_away(here).await;
        let leg = here.iter().find(|p| p.is_callee());
        if let Some(leg) = leg {
            // Believed ended and still there: the evidence goes in, the machine decides.
            if leg.leg_status() != Some(LegStatus::Hangup) && now - row.completed_at.unwrap_or(now) > GONE_POLL {
                let kind = Kind::Leg { status: leg.leg_status(), sid: leg.sid.clone(), call_sid: leg.call_sid(), polled: true };
                self.tell(Source::Poll, kind).await;
            }
        }
        let ended = *self.f.ended_at.get_or_insert(now);
        // An outcome ends the report; other attributes may be followed by one.
        let told = self.f.reported.outcome.is_some();
        let agent_there = here.iter().any(|p| p.is_agent(&self.f.agent));
        let over = if leg.is_none() { told || !agent_there } else { false };
        if (over || now - ended > REPORT_LIMIT) && !self.f.reply_out {
            self.clear().await;
            return Next::Done;
        }
        Next::Again(REPORT_POLL)
    }

    /// There is nothing left to hear, and nobody to talk to but the agent, who is about to tell its report.
    async fn send_supervisors_away(&self, here: &[Participant]) {
        for p in here.iter().filter(|p| p.is_supervisor()) {
            if let Err(e) = self.ctx.carrier.remove(self.f.room.clone(), p.identity.clone()).await {
                tracing::warn!(target: "engine", call = %self.f.call, error = %e, "a supervisor could not be let go yet; the room closes soon");
            }
        }
    }

    pub(super) async fn clear(&self) {
        self.ctx.close_room(self.f.room.clone()).await;
        reach("follow.cleared");
        if let Some(campaign) = &self.f.campaign {
            tracing::debug!(target: "engine", call = %self.f.call, campaign = %campaign.name, "call closed");
        }
    }
}
