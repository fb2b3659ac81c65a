//! One call from its dial to its end: waits for the reply, polls the room, hangs up when asked, and
//! turns what it sees into facts. Polling alone is enough for everything; webhooks only make it
//! quicker. The row is read again before each look: it may have ended by another door.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use super::Engine;
use crate::{
    desk::{Actor, Armed},
    domain::{
        call::State,
        event::{AgentReport, CallEvent, Kind, Leave, LegStatus, Source, Target},
        id::CallId,
    },
    failpoint::reach,
    store::{CallRow, CampaignRow},
    telephony::{Deleted, Participant, twilio_calls::goes_by_twilio},
};

pub(super) type PendingReply = tokio::task::JoinHandle<CallEvent>;

const RINGING_POLL: Duration = Duration::seconds(1);
const TALKING_POLL: Duration = Duration::seconds(5);
/// After the callee left: until the agent has told its report and gone.
const REPORT_POLL: Duration = Duration::seconds(2);
const REPORT_LIMIT: Duration = Duration::seconds(30);
/// A leg that is gone is looked for again after this, before it is believed.
const GONE_POLL: Duration = Duration::seconds(3);
/// A room that is gone from both lists is believed after three looks over this time.
const ABSENT_FOR: Duration = Duration::seconds(10);
/// A talk without an agent is looked at so often, and ended after so long.
const ALONE_POLL: Duration = Duration::seconds(1);
const ALONE_FOR: Duration = Duration::seconds(4);
const HANGUP_REPEAT: Duration = Duration::milliseconds(250);
const HANGUP_ALARM: Duration = Duration::seconds(10);

/// What is known of a followed call between two looks. Everything that must survive is on the row.
pub(super) struct Follow {
    call: CallId,
    room: String,
    agent: String,
    armed_at: DateTime<Utc>,
    deadline: DateTime<Utc>,
    ring_timeout: Duration,
    max_call_duration: Duration,
    campaign: Option<Arc<CampaignRow>>,
    reply_out: bool,
    seen: Option<(String, Option<LegStatus>)>,
    reported: AgentReport,
    gone_since: Option<DateTime<Utc>>,
    absent: Option<(DateTime<Utc>, u32)>,
    hangup_since: Option<DateTime<Utc>>,
    /// The last `DeleteRoom` was taken.
    deleted: bool,
    alarmed: bool,
    ended_at: Option<DateTime<Utc>>,
    /// Somebody is on the line and no agent is in the room, since then.
    alone_since: Option<DateTime<Utc>>,
}

impl Follow {
    pub(super) fn armed(armed: &Armed, campaign: Arc<CampaignRow>, agent: String) -> Self {
        Self {
            call: armed.call(),
            room: armed.claimed.room.clone(),
            agent,
            armed_at: armed.at,
            deadline: armed.at + Duration::seconds(campaign.ring_timeout_s + 20),
            ring_timeout: Duration::seconds(campaign.ring_timeout_s),
            max_call_duration: Duration::seconds(campaign.max_call_duration_s),
            campaign: Some(campaign),
            reply_out: true,
            seen: None,
            reported: AgentReport::default(),
            gone_since: None,
            absent: None,
            hangup_since: None,
            deleted: false,
            alarmed: false,
            ended_at: None,
            alone_since: None,
        }
    }

    /// A call that an earlier engine placed: no reply will come.
    pub(super) fn adopted(row: &CallRow, agent: String) -> Option<Self> {
        let armed_at = row.armed_at?;
        Some(Self {
            call: row.id,
            room: row.room_name.clone()?,
            agent,
            armed_at,
            deadline: row.deadline_at.unwrap_or(armed_at),
            ring_timeout: Duration::seconds(row.ring_timeout_s),
            max_call_duration: Duration::seconds(row.max_call_duration_s),
            campaign: None,
            reply_out: false,
            seen: None,
            reported: AgentReport::default(),
            gone_since: None,
            absent: None,
            hangup_since: None,
            deleted: false,
            alarmed: false,
            ended_at: None,
            alone_since: None,
        })
    }

    /// LiveKit's own bound on the call: after it no leg of ours can be up.
    fn bound(&self) -> DateTime<Utc> {
        self.armed_at + self.ring_timeout + self.max_call_duration + Duration::minutes(5)
    }
}

/// What to do after a look.
enum Next {
    Again(Duration),
    Done,
}

impl Engine {
    pub(super) async fn follow(self: Arc<Self>, mut f: Follow, mut reply: Option<PendingReply>) {
        let mut hangups = self.hangups.subscribe();
        let mut next = self.clock.now() + if reply.is_some() { RINGING_POLL } else { Duration::zero() };
        loop {
            let wants_hangup = hangups.borrow_and_update().contains(&f.call);
            if wants_hangup && f.hangup_since.is_none() {
                f.hangup_since = Some(self.clock.now());
                next = self.clock.now();
            }
            tokio::select! {
                biased;
                event = wait_reply(&mut reply) => {
                    reply = None;
                    f.reply_out = false;
                    match event {
                        Some(event) => self.record(event).await,
                        None => self.tell(&f, Source::Engine, Kind::ReplyLost { why: "the dial's task broke down".to_owned() }).await,
                    }
                    next = self.clock.now();
                }
                () = self.clock.sleep_until(next) => {
                    if self.clock.now() >= f.deadline && let Some(request) = reply.take() {
                        // Giving the request up gives nothing up at the other end: nobody knows.
                        request.abort();
                        f.reply_out = false;
                        self.tell(&f, Source::Engine, Kind::ReplyLost { why: "no reply to the dial in time".to_owned() }).await;
                    }
                    match self.look_after(&mut f).await {
                        Next::Again(wait) => next = self.clock.now() + wait,
                        Next::Done => return,
                    }
                }
                _ = hangups.changed() => {}
            }
        }
    }

    pub(super) async fn tell(&self, f: &Follow, source: Source, kind: Kind) {
        let event = CallEvent {
            key: format!("{}:{}:{}", source.as_str(), f.call, uuid::Uuid::now_v7()),
            target: Target::Call(f.call),
            source,
            at: self.clock.now(),
            raw: serde_json::Value::Null,
            kind,
        };
        self.record(event).await;
    }

    /// One look at the row and the room.
    async fn look_after(&self, f: &mut Follow) -> Next {
        let row = match self.desk.store().any_call(f.call).await {
            Ok(Some(row)) => row,
            Ok(None) => return Next::Done,
            Err(e) => {
                tracing::warn!(target: "engine", error = %e, "a call's row cannot be read");
                return Next::Again(RINGING_POLL);
            }
        };
        if row.state.is_ended() && !f.reply_out && row.answered_at.is_none() {
            // Nobody talked: nothing to report, the agent is needed elsewhere.
            self.clear(f).await;
            return Next::Done;
        }
        if f.hangup_since.is_some() && !row.state.is_ended() {
            self.hang_up_once(f).await;
        }
        let here = match self.carrier.look(f.room.clone()).await {
            Ok(here) => here,
            Err(e) => {
                self.network_failed(&e).await;
                return self.blind(f, &row).await;
            }
        };
        reach("follow.looked");
        self.see_agent(f, &here).await;
        if row.state.is_ended() {
            return self.after_the_end(f, &row, &here).await;
        }
        match here.iter().find(|p| p.is_callee()) {
            Some(leg) => {
                let alone = self.see_whether_alone(f, &row, leg, &here).await;
                let next = self.see_leg(f, &row, leg).await;
                if alone { Next::Again(ALONE_POLL) } else { next }
            }
            None => self.see_no_leg(f, &row, &here).await,
        }
    }

    /// LiveKit cannot be asked: only its own bound on the call helps.
    async fn blind(&self, f: &mut Follow, row: &CallRow) -> Next {
        if self.clock.now() > f.bound() && !row.state.is_ended() {
            self.end_by_bound(f, row).await;
        }
        Next::Again(if row.state.is_ended() { REPORT_POLL } else { RINGING_POLL * 2 })
    }

    async fn end_by_bound(&self, f: &mut Follow, row: &CallRow) {
        let kind = if row.state == State::Unknown || row.state == State::Armed { Kind::Horizon } else { Kind::LegGone { proven: false } };
        self.tell(f, Source::Engine, kind).await;
    }

    /// Somebody answered and the agent has left the room: after a moment the call is ended, for nobody
    /// will speak. An agent that told an outcome has done its work: then it is no abandoned call.
    async fn see_whether_alone(&self, f: &mut Follow, row: &CallRow, leg: &Participant, here: &[Participant]) -> bool {
        let talking = row.answered_at.is_some() || leg.leg_status() == Some(LegStatus::Active);
        let agent = here.iter().any(|p| p.is_agent(&f.agent));
        if !self.config.require_agent || !talking || agent || f.hangup_since.is_some() {
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

    async fn see_leg(&self, f: &mut Follow, row: &CallRow, leg: &Participant) -> Next {
        (f.gone_since, f.absent) = (None, None);
        let status = leg.leg_status();
        let news = (leg.sid.clone(), status);
        if f.seen.as_ref() != Some(&news) {
            f.seen = Some(news);
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
        self.presume_answered(f, row, leg).await;
        if self.clock.now() > f.bound() {
            // Listed beyond LiveKit's own bound on the call: a row of a dead Redis, or a lie.
            self.clear(f).await;
            self.tell(f, Source::Engine, Kind::LegGone { proven: false }).await;
            return Next::Again(REPORT_POLL);
        }
        if f.hangup_since.is_some() {
            self.alarm_if_stuck(f);
            return Next::Again(HANGUP_REPEAT);
        }
        let talking = row.answered_at.is_some() || status == Some(LegStatus::Active);
        Next::Again(if talking { TALKING_POLL } else { RINGING_POLL })
    }

    /// A status that lies: a leg that rejoined says `dialing` to its end. What holds is that
    /// livekit-sip itself ends an unanswered leg at its ringing timeout.
    async fn presume_answered(&self, f: &mut Follow, row: &CallRow, leg: &Participant) {
        if row.answered_at.is_some() || f.reply_out || row.state == State::Answered {
            return;
        }
        let rejoined = row.participant_sid.as_ref().is_some_and(|s| *s != leg.sid) || row.rejoined;
        // A leg with its first sid may be a dead SIP service's, listed for 20 s more.
        let margin = Duration::seconds(if rejoined { 5 } else { 25 });
        if self.clock.now() > f.armed_at + f.ring_timeout + margin {
            self.tell(f, Source::Engine, Kind::PresumedAnswered).await;
        }
    }

    async fn see_no_leg(&self, f: &mut Follow, row: &CallRow, here: &[Participant]) -> Next {
        let now = self.clock.now();
        if f.reply_out {
            return Next::Again(if f.hangup_since.is_some() { HANGUP_REPEAT } else { RINGING_POLL });
        }
        if f.hangup_since.is_some() {
            // Without the dial's own reply the request may still be on its way: not before its deadline.
            if f.deleted && (row.sip_call_id.is_some() || now >= f.deadline) {
                self.tell(f, Source::Poll, Kind::HungUp).await;
                return Next::Again(Duration::zero());
            }
            if now > f.bound() {
                self.end_by_bound(f, row).await;
            }
            return Next::Again(HANGUP_REPEAT);
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
        let agent_there = here.iter().any(|p| p.is_agent(&f.agent));
        if agent_there {
            f.absent = None;
            let since = *f.gone_since.get_or_insert(now);
            if now - since >= GONE_POLL {
                self.tell(f, Source::Poll, Kind::LegGone { proven: true }).await;
                return Next::Again(REPORT_POLL);
            }
            return Next::Again(GONE_POLL);
        }
        self.see_empty(f, row).await
    }

    /// Whether Twilio's own list proves that the call was never placed: asked only after the last
    /// moment at which it could have been.
    async fn not_listed(&self, f: &Follow, row: &CallRow) -> bool {
        let Some(list) = &self.config.call_list else { return false };
        let trunks = self.desk.store().trunks().await.unwrap_or_default();
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
    async fn see_empty(&self, f: &mut Follow, row: &CallRow) -> Next {
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
                self.end_by_bound(f, row).await;
            }
            return Next::Again(GONE_POLL);
        }
        let (since, looks) = f.absent.map_or((now, 1), |(since, n)| (since, n + 1));
        f.absent = Some((since, looks));
        if looks >= 3 && now - since >= ABSENT_FOR {
            self.end_by_bound(f, row).await;
            return Next::Again(Duration::zero());
        }
        Next::Again(ABSENT_FOR / 2)
    }

    async fn see_agent(&self, f: &mut Follow, here: &[Participant]) {
        let Some(agent) = here.iter().find(|p| p.is_agent(&f.agent)) else { return };
        let report = agent.report();
        if !report.is_empty() && report != f.reported {
            f.reported = report.clone();
            self.tell(f, Source::Poll, Kind::Report(report)).await;
        }
    }

    /// The callee has left: the agent's attributes are its report, as long as it stays.
    async fn after_the_end(&self, f: &mut Follow, row: &CallRow, here: &[Participant]) -> Next {
        let now = self.clock.now();
        let leg_there = here.iter().any(Participant::is_callee);
        if leg_there && let Some(leg) = here.iter().find(|p| p.is_callee()) {
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
        if ((!agent_there && !leg_there) || now - ended > REPORT_LIMIT || (told && !leg_there)) && !f.reply_out {
            self.clear(f).await;
            return Next::Done;
        }
        Next::Again(REPORT_POLL)
    }

    /// Hang-up is `DeleteRoom`, repeated until the dial has its reply: before that neither its 200
    /// nor its `not_found` means that the phone is silent.
    async fn hang_up_once(&self, f: &mut Follow) {
        f.deleted = false;
        match self.carrier.delete_room(f.room.clone()).await {
            Ok(Deleted::Yes | Deleted::NotThere) => f.deleted = true,
            Err(e) => tracing::warn!(target: "engine", error = %e, "a hang-up was not taken"),
        }
        self.alarm_if_stuck(f);
    }

    fn alarm_if_stuck(&self, f: &mut Follow) {
        let since = f.hangup_since.unwrap_or_else(|| self.clock.now());
        if !f.alarmed && self.clock.now() - since > HANGUP_ALARM {
            f.alarmed = true;
            let latest = f.armed_at + f.ring_timeout + f.max_call_duration;
            tracing::error!(target: "engine", call = %f.call, "hang-up: may still be talking, ends by {} UTC at the latest", latest.format("%H:%M:%S"));
        }
    }

    async fn clear(&self, f: &Follow) {
        if let Err(e) = self.carrier.delete_room(f.room.clone()).await {
            tracing::debug!(target: "engine", error = %e, "a room could not be deleted; it closes by itself");
        }
        reach("follow.cleared");
        if let Some(campaign) = &f.campaign {
            tracing::debug!(target: "engine", call = %f.call, campaign = %campaign.name, "call closed");
        }
    }
}

async fn wait_reply(reply: &mut Option<PendingReply>) -> Option<CallEvent> {
    match reply {
        Some(reply) => reply.await.ok(),
        None => std::future::pending().await,
    }
}
