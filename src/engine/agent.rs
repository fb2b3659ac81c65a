//! Brings the agent into a call's room before anybody is dialled: harmless, repeatable. The dispatch's
//! answer proves nothing; an agent is there when exactly one is seen.

use chrono::Duration;
use serde::Serialize;

use super::context::Context;
use crate::{desk::Claimed, domain::id::CallId, failpoint::reach, store::CampaignRow, telephony::CarrierError};

/// Between two looks for the agent.
const POLL: Duration = Duration::milliseconds(150);

/// What the agent is told, in this order. Never the number or a trunk: existing workers dial when
/// they see one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    prompt: &'a str,
    contact_name: &'a str,
    company: &'a str,
    campaign_id: String,
    call_id: String,
    assistant_id: String,
    call_type: &'static str,
    language: &'a str,
    outcome_url: Option<String>,
    outcome_token: Option<String>,
    v: u8,
}

pub(super) enum Unready {
    NoAgent,
    Network(CarrierError),
}

/// The agent of one claimed call.
pub(super) struct Agent<'a> {
    pub ctx: &'a Context,
    pub claimed: &'a Claimed,
}

impl Agent<'_> {
    /// Dispatches the agent and waits until exactly one is seen in the room.
    pub async fn bring(&self) -> Result<(), Unready> {
        let (carrier, room) = (&self.ctx.carrier, &self.claimed.room);
        let agent = self.ctx.config.agent_of(&self.claimed.campaign);
        reach("prepare.begin");
        let Claimed { call, script, contact_name, company, campaign, .. } = self.claimed;
        let told = metadata(self.ctx, &Briefing { call: *call, script, contact_name, company, campaign });
        let dispatched = carrier.dispatch(room.clone(), agent.clone(), told).await;
        reach("prepare.dispatched");
        dispatched.map_err(Unready::Network)?;
        let until = self.ctx.now() + self.ctx.config.agent_wait;
        loop {
            self.ctx.sleep(POLL).await;
            let here = carrier.look(room.clone()).await.map_err(Unready::Network)?;
            reach("prepare.looked");
            let agents = here.iter().filter(|p| p.is_agent(&agent)).count();
            let active = here.iter().filter(|p| p.is_agent(&agent) && p.active).count();
            if active == 1 && agents == 1 {
                return Ok(());
            }
            // Two agents would talk over each other: the room is given up.
            if active > 1 || self.ctx.now() >= until {
                return Err(Unready::NoAgent);
            }
        }
    }
}

/// What an agent is told of a call.
pub(super) struct Briefing<'a> {
    pub call: CallId,
    pub script: &'a str,
    pub contact_name: &'a str,
    pub company: &'a str,
    pub campaign: &'a CampaignRow,
}

/// The dispatch's metadata.
pub(super) fn metadata(ctx: &Context, b: &Briefing<'_>) -> String {
    let (config, campaign) = (&ctx.config, b.campaign);
    let outcome_url = config.public_url.as_ref().map(|u| format!("{}/api/v1/outbound-calls/{}/outcome", u.trim_end_matches('/'), b.call));
    let until = ctx.now() + Duration::seconds(campaign.max_call_duration_s) + Duration::minutes(15);
    let outcome_token = outcome_url.as_ref().and_then(|_| (config.outcome_token)(b.call, campaign.user_id, until));
    let metadata = Metadata {
        prompt: b.script,
        contact_name: b.contact_name,
        company: b.company,
        campaign_id: campaign.id.to_string(),
        call_id: b.call.to_string(),
        assistant_id: campaign.assistant_id.to_string(),
        call_type: "campaign",
        language: &campaign.assistant_language,
        outcome_url,
        outcome_token,
        v: 1,
    };
    serde_json::to_string(&metadata).unwrap_or_default()
}
