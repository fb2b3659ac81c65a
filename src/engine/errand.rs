//! One request of somebody, carried out: the call handed over, a supervisor's phone rung into its room, an
//! agent brought. The row is taken before anything is sent, and whatever rings a phone is sent once: a reply
//! that does not come says nothing, and nothing is tried again.

use std::{pin::pin, sync::Arc};

use chrono::Duration;
use serde_json::json;

use super::{
    agent::{self, Briefing},
    context::Context,
};
use crate::{
    desk::supervisor_identity,
    domain::{
        event::Reply,
        request::{Fate, Kind, Verdict},
    },
    failpoint::reach,
    store::{CallRow, RequestRow},
    telephony::{CarrierError, Muted, Participant, SecondLeg, Transferred},
};

/// A number that a call is handed to may ring so long, and a supervisor's phone.
const RINGS: std::time::Duration = std::time::Duration::from_secs(30);
/// The reply is waited for so much longer.
const MARGIN: std::time::Duration = std::time::Duration::from_secs(20);
/// A request that is not on its way this long after it was taken is not sent.
const SEND_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);
/// Between two looks for a supervisor's voice, which is muted as soon as it is there.
const LOOK: Duration = Duration::milliseconds(100);
/// Who cannot be muted this long after they answered is let go: they were to listen.
const MUTED_WITHIN: Duration = Duration::seconds(5);
/// Between two looks for an agent.
const POLL: Duration = Duration::milliseconds(150);

pub(super) struct Errand {
    pub ctx: Arc<Context>,
    pub request: RequestRow,
}

impl Errand {
    pub async fn run(self) {
        let verdict = match self.request.kind {
            Kind::Hangup => None,
            Kind::Transfer => self.transfer().await,
            Kind::Listen => self.listen().await,
            Kind::Dispatch => self.dispatch().await,
        };
        let Some(verdict) = verdict else { return };
        tracing::info!(target: "engine", call = %self.request.call_id, "{}: {}", self.request.kind.as_str(), verdict.words);
        while let Err(e) = self.ctx.desk.finish_request(self.request.id, verdict.clone()).await {
            tracing::error!(target: "engine", error = %e, "what came of a request cannot be stored yet");
            self.ctx.sleep(Duration::seconds(1)).await;
        }
    }

    fn argument(&self, key: &str) -> String {
        self.request.arguments.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned()
    }

    /// Takes the row, with a line where it rings another phone; `None` when it is not ours to do any more.
    async fn take(&self, rings: bool) -> Result<Option<(CallRow, String)>, Verdict> {
        let taken = self.ctx.desk.take_request(self.request.id, self.ctx.incarnation, rings).await;
        reach("errand.taken");
        match taken {
            Ok(taken) => Ok(taken.and_then(|(_, row)| row.room_name.clone().map(|room| (row, room)))),
            // In doubt, and so nothing is sent.
            Err(e) => Err(Verdict::new(Fate::Failed, e.to_string())),
        }
    }

    async fn transfer(&self) -> Option<Verdict> {
        let room = match self.take(false).await {
            Ok(taken) => taken?.1,
            Err(verdict) => return Some(verdict),
        };
        let to = self.argument("to");
        Some(match self.ctx.carrier.transfer(room, format!("tel:{to}"), RINGS).await {
            Transferred::Accepted => Verdict::new(Fate::Done, "the carrier has taken the call over: it goes on without us"),
            Transferred::Refused { sip_code, reason } => {
                let words = format!("the carrier refuses to transfer ({reason}): is transfer (SIP REFER) allowed on the trunk?");
                Verdict::new(Fate::Refused, words).with(json!({ "gate": "transfer", "sipCode": sip_code }))
            }
            Transferred::Failed { reason } => Verdict::new(Fate::Failed, reason),
            Transferred::Unknown { reason } => {
                Verdict::new(Fate::Unknown, format!("nobody knows whether the call was handed over ({reason}): look at it before asking again"))
            }
        })
    }

    async fn listen(&self) -> Option<Verdict> {
        let (carrier, number) = (&self.ctx.carrier, self.argument("phoneNumber"));
        let speak = self.request.arguments.get("speak").and_then(serde_json::Value::as_bool).unwrap_or(false);
        let ours = match self.ctx.desk.store().any_call(self.request.call_id).await {
            Ok(row) => row.and_then(|r| r.room_name)?,
            Err(e) => return Some(Verdict::new(Fate::Failed, e.to_string())),
        };
        let here = match carrier.look(ours).await {
            Ok(here) => here,
            Err(e) => return Some(Verdict::new(Fate::Failed, e.to_string())),
        };
        // Before the take, as with a dial: LiveKit itself refuses a request that comes late.
        let ticket = match carrier.ticket() {
            Ok(ticket) => ticket,
            Err(e) => return Some(Verdict::new(Fate::Failed, e.to_string())),
        };
        let begun = self.ctx.clock.uptime();
        let leg = here.iter().find(|p| p.is_supervisor() && p.phone() == Some(number.as_str()));
        let (row, room) = match self.take(leg.is_none()).await {
            Ok(taken) => taken?,
            Err(verdict) => return Some(verdict),
        };
        if let Some(leg) = leg {
            return Some(self.turn(room, leg, speak).await);
        }
        let leg = match self.second_leg(&row, room, number).await {
            Ok(leg) => leg,
            Err(verdict) => return Some(verdict),
        };
        if self.ctx.clock.uptime().saturating_sub(begun) > SEND_WITHIN {
            return Some(Verdict::new(Fate::Failed, "this host was too slow: the phone was not rung"));
        }
        Some(self.ring(ticket, leg, speak).await)
    }

    async fn second_leg(&self, row: &CallRow, room: String, number: String) -> Result<SecondLeg, Verdict> {
        let failed = |words: &str| Verdict::new(Fate::Failed, words);
        let trunks = self.ctx.desk.store().trunks().await.map_err(|e| failed(&e.to_string()))?;
        let trunk = trunks.into_iter().find(|t| Some(t.id) == row.trunk_id).ok_or_else(|| failed("the call's trunk is gone"))?;
        let bound = row.armed_at.unwrap_or(row.updated_at) + Duration::seconds(row.ring_timeout_s + row.max_call_duration_s);
        let left = (bound - self.ctx.now()).to_std().unwrap_or_default();
        Ok(SecondLeg {
            trunk: trunk.livekit_id,
            number,
            caller_id: row.caller_id.clone().unwrap_or_default(),
            room,
            identity: supervisor_identity(self.request.id),
            ring_timeout: RINGS,
            // Never longer than the call itself may last.
            max_call_duration: left.max(RINGS),
            timeout: RINGS + MARGIN,
        })
    }

    /// Rings the phone, once, and mutes it as soon as it has a voice, which may be before it answers.
    async fn ring(&self, ticket: crate::telephony::Ticket, leg: SecondLeg, speak: bool) -> Verdict {
        let (room, identity) = (leg.room.clone(), leg.identity.clone());
        let mut sent = pin!(self.ctx.carrier.ring_in(ticket, leg));
        let mut silent = speak;
        let reply = loop {
            tokio::select! {
                biased;
                reply = &mut sent => break reply,
                () = self.ctx.sleep(LOOK), if !silent => silent = matches!(self.mute(&room, &identity, true).await, Ok(Muted::Yes)),
            }
        };
        match reply {
            Reply::Answered { .. } => {}
            Reply::Ended { reason, sip_code, .. } => {
                return Verdict::new(Fate::Refused, format!("the phone did not take the call: {reason}")).with(json!({ "gate": "phone", "sipCode": sip_code }));
            }
            Reply::TimedOut { .. } => return Verdict::new(Fate::Refused, "nobody answered the phone").with(json!({ "gate": "phone" })),
            Reply::Unsent { reason, .. } | Reply::Refused { reason, .. } => return Verdict::new(Fate::Failed, format!("the phone was not rung: {reason}")),
            Reply::Unknown { reason } => {
                return Verdict::new(Fate::Unknown, format!("nobody knows whether the phone rang ({reason}); it is not rung again by itself"));
            }
        }
        if !silent && let Err(verdict) = self.silence(&room, &identity).await {
            return verdict;
        }
        let words = if speak { "the phone is in the call, and is heard" } else { "the phone is in the call, muted" };
        Verdict::new(Fate::Done, words).with(json!({ "identity": identity, "muted": !speak }))
    }

    /// Mutes a supervisor who has answered. One who cannot be muted was to listen, and would be heard.
    async fn silence(&self, room: &str, identity: &str) -> Result<(), Verdict> {
        let until = self.ctx.now() + MUTED_WITHIN;
        let why = loop {
            let why = match self.mute(room, identity, true).await {
                Ok(Muted::Yes) => return Ok(()),
                Ok(Muted::NoVoice) => "it has no voice yet".to_owned(),
                Err(e) => e.to_string(),
            };
            if self.ctx.now() >= until {
                break why;
            }
            self.ctx.sleep(LOOK).await;
        };
        if let Err(e) = self.ctx.carrier.remove(room.to_owned(), identity.to_owned()).await {
            tracing::error!(target: "engine", call = %self.request.call_id, error = %e, "a supervisor's phone can neither be muted nor let go");
            return Err(Verdict::new(Fate::Unknown, format!("the phone can neither be muted ({why}) nor let go: it may be heard. Hang it up")));
        }
        Err(Verdict::new(Fate::Failed, format!("the phone could not be muted ({why}), so it was let go")))
    }

    async fn mute(&self, room: &str, identity: &str, muted: bool) -> Result<Muted, CarrierError> {
        self.ctx.carrier.mute(room.to_owned(), identity.to_owned(), muted).await
    }

    /// A phone that is in the call already speaks, or is silent again.
    async fn turn(&self, room: String, leg: &Participant, speak: bool) -> Verdict {
        let words = if speak { "the phone is heard now" } else { "the phone is muted" };
        match self.mute(&room, &leg.identity, !speak).await {
            Ok(Muted::Yes) => Verdict::new(Fate::Done, words).with(json!({ "identity": leg.identity, "muted": !speak })),
            Ok(Muted::NoVoice) => Verdict::new(Fate::Failed, "the phone has no voice in the call yet: is it still ringing?"),
            Err(e) => Verdict::new(Fate::Failed, e.to_string()),
        }
    }

    async fn dispatch(&self) -> Option<Verdict> {
        let (row, room) = match self.take(false).await {
            Ok(taken) => taken?,
            Err(verdict) => return Some(verdict),
        };
        Some(self.bring_agent(&row, &room).await.unwrap_or_else(|e| Verdict::new(Fate::Failed, e.to_string())))
    }

    /// An agent that is in the room is the answer, whoever asked for it: two would talk over each other.
    async fn bring_agent(&self, row: &CallRow, room: &str) -> Result<Verdict, CarrierError> {
        let (ctx, carrier) = (&self.ctx, &self.ctx.carrier);
        if carrier.look(room.to_owned()).await?.iter().any(Participant::is_any_agent) {
            return self.present(room, "an agent is in the room already").await;
        }
        let Ok(Some(campaign)) = ctx.desk.store().campaign(row.user_id, row.campaign_id).await else {
            return Ok(Verdict::new(Fate::Failed, "the call's campaign is gone"));
        };
        let named = Some(self.argument("agentName")).filter(|n| !n.is_empty());
        let agent = named.unwrap_or_else(|| ctx.config.agent_of(&campaign));
        let contact_name = Some(self.argument("contactName")).filter(|n| !n.is_empty()).unwrap_or_else(|| row.contact_name.clone());
        let script = row.script.as_deref().unwrap_or_default();
        let briefing = Briefing { call: row.id, script, contact_name: &contact_name, company: "", campaign: &campaign };
        carrier.dispatch(room.to_owned(), agent, agent::metadata(ctx, &briefing)).await?;
        let until = ctx.now() + ctx.config.agent_wait;
        while ctx.now() < until {
            ctx.sleep(POLL).await;
            if carrier.look(room.to_owned()).await?.iter().any(|p| p.is_any_agent() && p.active) {
                return self.present(room, "the agent is in the room").await;
            }
        }
        Ok(Verdict::new(Fate::Refused, "no agent worker took the call").with(json!({ "gate": "agent" })))
    }

    async fn present(&self, room: &str, words: &str) -> Result<Verdict, CarrierError> {
        let dispatched = self.ctx.carrier.dispatches(room.to_owned()).await?.into_iter().next();
        let details = dispatched.map(|d| json!({ "dispatchId": d.id, "agentName": d.agent })).unwrap_or_default();
        Ok(Verdict::new(Fate::Done, words).with(details))
    }
}
