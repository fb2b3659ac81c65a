//! One call from its dial to its end: waits for the reply, polls the room, hangs up when asked, and
//! turns what it sees into facts. Polling alone is enough for everything; webhooks only make it
//! quicker. The row is read again before each look: it may have ended by another door.

mod ending;
mod hangup;
mod leg;

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use tokio::sync::Notify;

use super::Engine;
use crate::{
    desk::Armed,
    domain::{
        event::{AgentReport, CallEvent, Kind, LegStatus, Lost, Source, Target},
        id::CallId,
    },
    failpoint::reach,
    store::{CallRow, CampaignRow},
    telephony::Participant,
};
use hangup::HangUp;

pub(super) type PendingReply = tokio::task::JoinHandle<CallEvent>;

const RINGING_POLL: Duration = Duration::seconds(1);
/// A talk: its agent's last words are attributes that go with it, and only a webhook tells of it sooner.
const TALKING_POLL: Duration = Duration::seconds(2);
/// The same while webhooks come.
const TOLD_POLL: Duration = Duration::seconds(5);
/// Webhooks come, if one has within this.
const TOLD_WITHIN: Duration = Duration::minutes(1);

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
    /// The first look that missed the leg: its end is dated to it, whenever it is believed.
    missed: Option<DateTime<Utc>>,
    /// The leg is missed while the agent is listed, since then.
    gone_since: Option<DateTime<Utc>>,
    absent: Option<(DateTime<Utc>, u32)>,
    hangup: Option<HangUp>,
    ended_at: Option<DateTime<Utc>>,
    /// Somebody is on the line and no agent is in the room, since then.
    alone_since: Option<DateTime<Utc>>,
    /// When the leg was last seen and believed.
    alive_at: DateTime<Utc>,
    doubt: leg::Doubted,
}

impl Follow {
    pub(super) fn armed(armed: &Armed, campaign: Arc<CampaignRow>, agent: String) -> Self {
        let (ring, longest) = (Duration::seconds(campaign.ring_timeout_s), Duration::seconds(campaign.max_call_duration_s));
        Self { campaign: Some(campaign), reply_out: true, ..Self::new(armed.call(), &armed.claimed.room, agent, armed.at, ring, longest) }
    }

    /// A call that an earlier engine placed: no reply will come, and what is listed of it may be old.
    pub(super) fn adopted(row: &CallRow, agent: String) -> Option<Self> {
        let armed_at = row.armed_at?;
        let (ring, longest) = (Duration::seconds(row.ring_timeout_s), Duration::seconds(row.max_call_duration_s));
        Some(Self {
            deadline: row.deadline_at.unwrap_or(armed_at),
            alive_at: row.updated_at.max(armed_at),
            doubt: leg::Doubted::unseen(),
            ..Self::new(row.id, row.room_name.as_deref()?, agent, armed_at, ring, longest)
        })
    }

    fn new(call: CallId, room: &str, agent: String, armed_at: DateTime<Utc>, ring_timeout: Duration, max_call_duration: Duration) -> Self {
        Self {
            call,
            room: room.to_owned(),
            agent,
            armed_at,
            deadline: armed_at + ring_timeout + Duration::seconds(20),
            ring_timeout,
            max_call_duration,
            campaign: None,
            reply_out: false,
            seen: None,
            reported: AgentReport::default(),
            missed: None,
            gone_since: None,
            absent: None,
            hangup: None,
            ended_at: None,
            alone_since: None,
            alive_at: armed_at,
            doubt: leg::Doubted::default(),
        }
    }

    /// LiveKit's own bound on the call: no leg of ours is up after it.
    fn longest(&self) -> DateTime<Utc> {
        self.armed_at + self.ring_timeout + self.max_call_duration
    }

    /// The same with room for clocks and restarts: after it the call is given up.
    fn bound(&self) -> DateTime<Utc> {
        self.longest() + Duration::minutes(5)
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
        let told = self.bell_of(f.call);
        let mut next = self.clock.now() + if reply.is_some() { RINGING_POLL } else { Duration::zero() };
        loop {
            let wants_hangup = hangups.borrow_and_update().contains(&f.call);
            if wants_hangup && f.hangup.is_none() {
                f.hangup = Some(HangUp::new(self.clock.now()));
                next = self.clock.now();
            }
            tokio::select! {
                biased;
                event = wait_reply(&mut reply) => {
                    reply = None;
                    f.reply_out = false;
                    match event {
                        Some(event) => self.record(event).await,
                        None => self.tell(&f, Source::Engine, Kind::ReplyLost { cause: Lost::TaskBroke }).await,
                    }
                    next = self.clock.now();
                }
                () = self.clock.sleep_until(next) => {
                    if self.clock.now() >= f.deadline && let Some(request) = reply.take() {
                        // Giving the request up gives nothing up at the other end: nobody knows.
                        request.abort();
                        f.reply_out = false;
                        self.tell(&f, Source::Engine, Kind::ReplyLost { cause: Lost::NoReply }).await;
                    }
                    match self.look_after(&mut f).await {
                        Next::Again(wait) => next = self.clock.now() + wait,
                        Next::Done => return,
                    }
                }
                // LiveKit told of somebody who left.
                () = told.notified() => next = self.clock.now(),
                _ = hangups.changed() => {}
            }
        }
    }

    /// Rung when LiveKit tells something of a call that is worth a look at once.
    fn bell_of(&self, call: CallId) -> Arc<Notify> {
        self.followed.lock().get(&call).cloned().unwrap_or_default()
    }

    pub(super) async fn tell(&self, f: &Follow, source: Source, kind: Kind) {
        self.tell_of(f, source, kind, self.clock.now()).await;
    }

    /// Tells what happened at a moment that is over.
    async fn tell_of(&self, f: &Follow, source: Source, kind: Kind, at: DateTime<Utc>) {
        let event = CallEvent {
            key: format!("{}:{}:{}", source.as_str(), f.call, uuid::Uuid::now_v7()),
            target: Target::Call(f.call),
            source,
            at,
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
        if !row.state.is_ended() {
            self.hang_up(f).await;
        }
        let here = match self.carrier.look(f.room.clone()).await {
            Ok(here) => here,
            Err(e) => {
                self.network_failed(&e).await;
                return self.blind(f, &row).await;
            }
        };
        self.network_answers().await;
        reach("follow.looked");
        self.see_agent(f, &here).await;
        if row.state.is_ended() {
            return self.after_the_end(f, &row, &here).await;
        }
        match here.iter().find(|p| p.is_callee()) {
            Some(leg) => self.see_call(f, &row, leg, &here).await,
            None => self.see_no_leg(f, &row, &here).await,
        }
    }

    async fn see_call(&self, f: &mut Follow, row: &CallRow, leg: &Participant, here: &[Participant]) -> Next {
        let alone = self.see_whether_alone(f, row, leg, here).await;
        let next = self.see_leg(f, row, leg).await;
        match next {
            Next::Again(wait) if alone => Next::Again(wait.min(leg::ALONE_POLL)),
            next => next,
        }
    }

    /// How often a talk is looked at.
    fn talking_poll(&self) -> Duration {
        let told = self.told_at.lock().is_some_and(|t| self.clock.now() - t < TOLD_WITHIN);
        if told { TOLD_POLL } else { TALKING_POLL }
    }
}

async fn wait_reply(reply: &mut Option<PendingReply>) -> Option<CallEvent> {
    match reply {
        Some(reply) => reply.await.ok(),
        None => std::future::pending().await,
    }
}
