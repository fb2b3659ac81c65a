//! The way in: one inbound trunk a number, and a rule on it that brings the number's assistant into a room of each
//! call's own. A rule that somebody else made is left as it is, and said.

use serde_json::json;

use super::{Answer, Provided, Provision, Wish, is_ours, metadata};
use crate::{
    desk::Assigning,
    domain::{id::OwnerId, text::clean},
    store::AssistantRow,
    telephony::livekit::{NewRule, RuleAgent},
};

/// Calls that come in are in rooms of this kind, whichever way they come.
const ROOM_PREFIX: &str = "in-";

impl Provision {
    /// Makes what is missing, if it is asked for; what the number has is brought to its present assistant in any case.
    pub(super) async fn let_in(&self, owner: OwnerId, wish: &Wish, assistant: &AssistantRow, provided: &mut Provided, turn: &Assigning) -> Answer<()> {
        let numbers = self.desk.of(owner).store().numbers(owner).await?;
        let has = numbers.iter().any(|n| n.number == wish.number.as_str() && n.inbound_trunk_id.is_some());
        if !wish.inbound && !has {
            return Ok(());
        }
        let livekit = self.livekit()?;
        let name = clean(&format!("dialdeck {}", wish.number), 100);
        let there = livekit.inbound_trunks().await?.into_iter().find(|t| t.numbers.iter().any(|n| n == wish.number.as_str()));
        let trunk = if let Some(trunk) = there {
            trunk
        } else {
            self.desk.go_on_assigning(turn).await?;
            livekit.create_inbound_trunk(name.clone(), wish.number.to_string(), metadata(wish.assistant)).await?
        };
        let agent = self.agent_for(assistant);
        let ours = metadata(wish.assistant);
        let rule = match livekit.rules().await?.into_iter().find(|r| r.names(&trunk.trunk_id)) {
            None => {
                self.desk.go_on_assigning(turn).await?;
                let new = NewRule { name, trunk: trunk.trunk_id.clone(), room_prefix: ROOM_PREFIX.to_owned(), agent, metadata: ours };
                Box::pin(livekit.create_rule(new)).await?.id().to_owned()
            }
            Some(rule) => {
                let id = rule.id().to_owned();
                if !is_ours(rule.metadata()) {
                    provided.remarks.push(format!("calls to {} come in by the rule {id}, which dialdeck did not make: it was left as it is", wish.number));
                } else if rule.metadata() != ours || rule.agents() != [agent.clone()] {
                    Box::pin(livekit.set_rule_agent(rule, agent, ours)).await?;
                }
                id
            }
        };
        (provided.inbound_trunk, provided.dispatch_rule) = (Some(trunk.trunk_id), Some(rule));
        Ok(())
    }

    fn agent_for(&self, assistant: &AssistantRow) -> RuleAgent {
        let name = assistant.agent_name.clone().unwrap_or_else(|| self.agent_name.clone());
        let metadata = json!({ "prompt": assistant.prompt, "assistantId": assistant.id, "callType": "inbound", "language": assistant.language, "v": 1 });
        RuleAgent { name, metadata: metadata.to_string() }
    }
}
