//! What is known of a followed call between two looks. Everything that must survive is on the row.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use super::hangup::HangUp;
use crate::{
    desk::Armed,
    domain::{
        event::{AgentReport, LegStatus, Lost},
        id::CallId,
    },
    store::{CallRow, CampaignRow},
};

pub struct Follow {
    pub call: CallId,
    pub room: String,
    pub agent: String,
    pub armed_at: DateTime<Utc>,
    pub deadline: DateTime<Utc>,
    pub ring_timeout: Duration,
    pub max_call_duration: Duration,
    pub campaign: Option<Arc<CampaignRow>>,
    /// The dial's reply is yet to come.
    pub reply_out: bool,
    /// What is to be said when nobody sends the dial any more and no reply was told.
    pub if_lost: Lost,
    pub seen: Option<(String, Option<LegStatus>)>,
    pub reported: AgentReport,
    /// The first look that missed the leg: its end is dated to it, whenever it is believed.
    pub missed: Option<DateTime<Utc>>,
    /// The leg is missed while the agent is listed, since then.
    pub gone_since: Option<DateTime<Utc>>,
    pub absent: Option<(DateTime<Utc>, u32)>,
    pub hangup: Option<HangUp>,
    pub ended_at: Option<DateTime<Utc>>,
    /// No agent was with the callee in any look since then, before the answer or after it.
    pub alone_since: Option<DateTime<Utc>>,
    /// When the leg was last seen and believed.
    pub alive_at: DateTime<Utc>,
    pub doubt: Doubted,
}

/// Whether what is listed of a leg can be believed.
#[derive(Default)]
pub struct Doubted {
    /// LiveKit could not be asked for a while, or another engine followed: its host may have died.
    pub unseen: bool,
    /// `DeleteRoom` could not find where the room lives.
    pub astray: bool,
    /// The session was asked last.
    pub asked_at: Option<DateTime<Utc>>,
    /// It did not answer, for the first time then.
    pub silent_since: Option<DateTime<Utc>>,
    /// It is known to be dead: what is listed are rows.
    pub buried: bool,
}

impl Follow {
    pub fn armed(armed: &Armed, campaign: Arc<CampaignRow>, agent: String) -> Self {
        let (ring, longest) = (Duration::seconds(campaign.ring_timeout_s), Duration::seconds(campaign.max_call_duration_s));
        Self {
            campaign: Some(campaign),
            reply_out: true,
            if_lost: Lost::TaskBroke,
            ..Self::new(armed.call(), &armed.claimed.room, agent, armed.at, ring, longest)
        }
    }

    /// A call that nobody has followed for a while: what is listed of it may be old.
    pub fn adopted(row: &CallRow, agent: String) -> Option<Self> {
        let armed_at = row.armed_at?;
        let (ring, longest) = (Duration::seconds(row.ring_timeout_s), Duration::seconds(row.max_call_duration_s));
        Some(Self {
            deadline: row.deadline_at.unwrap_or(armed_at),
            alive_at: row.updated_at.max(armed_at),
            doubt: Doubted { unseen: true, ..Doubted::default() },
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
            if_lost: Lost::Forsaken,
            seen: None,
            reported: AgentReport::default(),
            missed: None,
            gone_since: None,
            absent: None,
            hangup: None,
            ended_at: None,
            alone_since: None,
            alive_at: armed_at,
            doubt: Doubted::default(),
        }
    }

    /// The leg was seen to do something, or its session answered.
    pub fn believe(&mut self, now: DateTime<Utc>) {
        self.alive_at = now;
        self.doubt = Doubted { asked_at: self.doubt.asked_at, ..Doubted::default() };
    }

    /// LiveKit's own bound on the call: no leg of ours is up after it.
    pub fn longest(&self) -> DateTime<Utc> {
        self.armed_at + self.ring_timeout + self.max_call_duration
    }

    /// The same with room for clocks and restarts: after it the call is given up.
    pub fn bound(&self) -> DateTime<Utc> {
        self.longest() + Duration::minutes(5)
    }

    /// When a hang-up is tried again.
    pub fn hangup_pause(&mut self, now: DateTime<Utc>) -> Duration {
        let in_doubt = now < self.deadline;
        self.hangup.as_mut().map_or(super::RINGING_POLL, |h| h.pause(self.reply_out, in_doubt))
    }
}
