//! A leg that is not listed, and what follows when a call is over. An end is dated to the first look
//! that missed the leg, never to when it was believed.

use chrono::{DateTime, Duration, Utc};

use super::{Engine, Follow, Next, RINGING_POLL};
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

impl Engine {
    /// LiveKit cannot be asked: only its own bound on the call helps.
    pub(super) async fn blind(&self, f: &mut Follow, row: &CallRow) -> Next {
        let now = self.clock.now();
        f.doubt.unseen = true;
        if row.state.is_ended() {
            // A report that cannot be fetched is waited for no longer than any other.
            let ended = *f.ended_at.get_or_insert(now);
            let over = now - ended > REPORT_LIMIT && !f.reply_out;
            return if over { Next::Done } else { Next::Again(REPORT_POLL) };
        }
        if now > f.bound() {
            self.end_by_bound(f, row, f.missed.unwrap_or(f.alive_at)).await;
        }
        Next::Again(RINGING_POLL * 2)
    }

    async fn end_by_bound(&self, f: &Follow, row: &CallRow, at: DateTime<Utc>) {
        let kind = if row.state == State::Unknown || row.state == State::Armed { Kind::Horizon } else { Kind::LegGone { proven: false } };
        self.tell_of(f, Source::Engine, kind, at).await;
    }

    pub(super) async fn see_no_leg(&self, f: &mut Follow, row: &CallRow, here: &[Participant]) -> Next {
        let now = self.clock.now();
        if f.reply_out {
            return Next::Again(if f.hangup.is_some() { f.hangup_pause(now) } else { RINGING_POLL });
        }
        let missed = *f.missed.get_or_insert(now);
        if let Some(hangup) = &f.hangup {
            // Without the dial's own reply the request may still be on its way: not before its deadline.
            if hangup.taken && (row.sip_call_id.is_some() || now >= f.deadline) {
                self.tell_of(f, Source::Poll, Kind::HungUp, missed).await;
                return Next::Again(Duration::zero());
            }
            if self.is_buried(f).await {
                return Next::Again(Duration::zero());
            }
            if now > f.bound() {
                self.end_by_bound(f, row, missed).await;
            }
            return Next::Again(f.hangup_pause(now));
        }
        if row.state == State::Unknown && !row.leg_seen {
            if now > f.armed_at + self.config.unknown_horizon {
                let kind = if self.not_listed(f, row).await { Kind::NotListed } else { Kind::Horizon };
                self.tell(f, Source::Engine, kind).await;
                self.clear(f).await;
                return Next::Done;
            }
            return Next::Again(RINGING_POLL * 2);
        }
        if here.iter().any(|p| p.is_agent(&f.agent)) {
            f.absent = None;
            if now - *f.gone_since.get_or_insert(now) >= GONE_POLL {
                self.tell_of(f, Source::Poll, Kind::LegGone { proven: true }, missed).await;
                return Next::Again(REPORT_POLL);
            }
            return Next::Again(GONE_POLL);
        }
        self.see_empty(f, row, missed).await
    }

    /// Whether Twilio's own list proves that the call was never placed: asked only after the last
    /// moment at which it could have been.
    async fn not_listed(&self, f: &Follow, row: &CallRow) -> bool {
        let Some(list) = &self.config.call_list else { return false };
        let trunks = match self.desk.store().trunks().await {
            Ok(trunks) => trunks,
            Err(e) => {
                tracing::warn!(target: "engine", error = %e, "the trunks cannot be read: the carrier's list proves nothing");
                return false;
            }
        };
        if !trunks.iter().any(|t| Some(t.id) == row.trunk_id && goes_by_twilio(&t.address)) {
            return false;
        }
        match list.shows_no_call(&row.phone_number, f.armed_at).await {
            Ok(none) => none,
            Err(e) => {
                tracing::warn!(target: "engine", "Twilio's list of calls cannot be read: {e}");
                false
            }
        }
    }

    /// The list is empty: the call is over only if the room is gone from the other list too, three
    /// times over ten seconds. An empty list of a room that exists is a Redis that lost its data.
    async fn see_empty(&self, f: &mut Follow, row: &CallRow, missed: DateTime<Utc>) -> Next {
        let now = self.clock.now();
        f.gone_since = None;
        let exists = match self.carrier.rooms(vec![f.room.clone()]).await {
            Ok(names) => names.contains(&f.room),
            Err(e) => {
                self.network_failed(&e).await;
                return self.blind(f, row).await;
            }
        };
        if exists {
            f.absent = None;
            if now > f.bound() {
                self.end_by_bound(f, row, missed).await;
            }
            return Next::Again(GONE_POLL);
        }
        let (since, looks) = f.absent.map_or((now, 1), |(since, n)| (since, n + 1));
        f.absent = Some((since, looks));
        if looks >= 3 && now - since >= ABSENT_FOR {
            let at = if since - missed > DRAINS_WITHIN { since } else { missed };
            self.end_by_bound(f, row, at).await;
            return Next::Again(Duration::zero());
        }
        Next::Again(ABSENT_FOR / 2)
    }

    /// The callee has left: the agent's attributes are its report, as long as it stays.
    pub(super) async fn after_the_end(&self, f: &mut Follow, row: &CallRow, here: &[Participant]) -> Next {
        if f.doubt.buried {
            return Next::Done;
        }
        let now = self.clock.now();
        let leg = here.iter().find(|p| p.is_callee());
        if let Some(leg) = leg {
            // Believed ended and still there: the evidence goes in, the machine decides.
            if leg.leg_status() != Some(LegStatus::Hangup) && now - row.completed_at.unwrap_or(now) > GONE_POLL {
                let kind = Kind::Leg { status: leg.leg_status(), sid: leg.sid.clone(), call_sid: leg.call_sid(), polled: true };
                self.tell(f, Source::Poll, kind).await;
            }
        }
        let ended = *f.ended_at.get_or_insert(now);
        // An outcome ends the report; other attributes may be followed by one.
        let told = f.reported.outcome.is_some();
        let agent_there = here.iter().any(|p| p.is_agent(&f.agent));
        let over = if leg.is_none() { told || !agent_there } else { false };
        if (over || now - ended > REPORT_LIMIT) && !f.reply_out {
            self.clear(f).await;
            return Next::Done;
        }
        Next::Again(REPORT_POLL)
    }

    pub(super) async fn clear(&self, f: &Follow) {
        if let Err(e) = self.carrier.delete_room(f.room.clone()).await {
            tracing::debug!(target: "engine", error = %e, "a room could not be deleted; it closes by itself");
        }
        reach("follow.cleared");
        if let Some(campaign) = &f.campaign {
            tracing::debug!(target: "engine", call = %f.call, campaign = %campaign.name, "call closed");
        }
    }
}
