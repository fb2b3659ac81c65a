//! What LiveKit needs to take calls in: trunks that know a number, and rules that open a room with its agent;
//! and the one thing that is changed of an outbound trunk, its password.

use livekit_api::services::sip::{CreateSIPDispatchRuleOptions, CreateSIPInboundTrunkOptions, ListSIPDispatchRuleFilter, ListSIPInboundTrunkFilter};
use livekit_protocol as proto;

use super::{CarrierError, LiveKit};
use crate::config::Secret;

/// A trunk that takes calls to some numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundTrunk {
    pub trunk_id: String,
    pub numbers: Vec<String>,
}

/// The agent that a rule brings into each room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleAgent {
    pub name: String,
    pub metadata: String,
}

/// A rule for calls that come in over some trunks.
#[derive(Debug, Clone)]
pub struct Rule(proto::SipDispatchRuleInfo);

impl Rule {
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.sip_dispatch_rule_id
    }

    /// Whether it is for this trunk, by name; a rule that names none is for all that have none of their own.
    #[must_use]
    pub fn names(&self, trunk: &str) -> bool {
        self.0.trunk_ids.iter().any(|t| t == trunk)
    }

    /// Whether the room is named by whom the caller calls: what TwiML names a room by needs such a rule.
    #[must_use]
    pub fn is_by_callee(&self) -> bool {
        let rule = self.0.rule.as_ref().and_then(|r| r.rule.as_ref());
        matches!(rule, Some(proto::sip_dispatch_rule::Rule::DispatchRuleCallee(_)))
    }

    #[must_use]
    pub fn metadata(&self) -> &str {
        &self.0.metadata
    }

    #[must_use]
    pub fn agents(&self) -> Vec<RuleAgent> {
        let config = self.0.room_config.iter();
        config.flat_map(|c| &c.agents).map(|a| RuleAgent { name: a.agent_name.clone(), metadata: a.metadata.clone() }).collect()
    }
}

/// A rule to be made: every call over a trunk gets a room of its own.
#[derive(Debug, Clone)]
pub struct NewRule {
    pub name: String,
    pub trunk: String,
    pub room_prefix: String,
    pub agent: RuleAgent,
    pub metadata: String,
}

fn room_with(agent: RuleAgent) -> proto::RoomConfiguration {
    let agent = proto::RoomAgentDispatch { agent_name: agent.name, metadata: agent.metadata, ..Default::default() };
    proto::RoomConfiguration { agents: vec![agent], ..Default::default() }
}

impl LiveKit {
    pub async fn inbound_trunks(&self) -> Result<Vec<InboundTrunk>, CarrierError> {
        let list = self.said(self.api.sip().list_sip_inbound_trunk(ListSIPInboundTrunkFilter::All).await).await?;
        Ok(list.into_iter().map(|t| InboundTrunk { trunk_id: t.sip_trunk_id, numbers: t.numbers }).collect())
    }

    /// Makes a trunk for calls to a number; LiveKit has one such trunk a number.
    pub async fn create_inbound_trunk(&self, name: String, number: String, metadata: String) -> Result<InboundTrunk, CarrierError> {
        let options = CreateSIPInboundTrunkOptions { metadata: Some(metadata), ..Default::default() };
        let made = self.said(self.api.sip().create_sip_inbound_trunk(name, vec![number], options).await).await?;
        Ok(InboundTrunk { trunk_id: made.sip_trunk_id, numbers: made.numbers })
    }

    pub async fn rules(&self) -> Result<Vec<Rule>, CarrierError> {
        let list = self.said(self.api.sip().list_sip_dispatch_rule(ListSIPDispatchRuleFilter::All).await).await?;
        Ok(list.into_iter().map(Rule).collect())
    }

    pub async fn create_rule(&self, new: NewRule) -> Result<Rule, CarrierError> {
        let room_per_call = proto::SipDispatchRuleIndividual { room_prefix: new.room_prefix, ..Default::default() };
        let options = CreateSIPDispatchRuleOptions {
            name: new.name,
            metadata: new.metadata,
            trunk_ids: vec![new.trunk],
            room_config: Some(room_with(new.agent)),
            ..Default::default()
        };
        let rule = proto::sip_dispatch_rule::Rule::DispatchRuleIndividual(room_per_call);
        // A rule is a large message: not on the stack of whoever waits.
        let made = Box::pin(self.api.sip().create_sip_dispatch_rule(rule, options)).await;
        Ok(Rule(Box::pin(self.said(made)).await?))
    }

    /// Gives a rule another agent and leaves everything else as it is.
    pub async fn set_rule_agent(&self, rule: Rule, agent: RuleAgent, metadata: String) -> Result<(), CarrierError> {
        let mut info = rule.0;
        info.metadata = metadata;
        let config = info.room_config.take().unwrap_or_default();
        info.room_config = Some(proto::RoomConfiguration { agents: room_with(agent).agents, ..config });
        let done = Box::pin(self.api.sip().update_sip_dispatch_rule_replace(info.sip_dispatch_rule_id.clone(), info)).await;
        Box::pin(self.said(done)).await.map(drop)
    }

    /// Gives an outbound trunk the password of the login it has.
    pub async fn set_trunk_password(&self, trunk: String, password: &Secret) -> Result<(), CarrierError> {
        let update = proto::SipOutboundTrunkUpdate { auth_password: Some(password.reveal().to_owned()), ..Default::default() };
        self.said(self.api.sip().update_sip_outbound_trunk(trunk, update).await).await.map(drop)
    }
}
