//! Trunks and dispatch rules, kept and refused as LiveKit does.

use axum::response::Response;
use livekit_protocol as proto;
use proto::{update_sip_dispatch_rule_request::Action as RuleAction, update_sip_outbound_trunk_request::Action as TrunkAction};

use super::{
    leg::Failure,
    server::{Call, fail},
    world::id,
};

type Refusable = Result<Response, Response>;

fn invalid(words: impl Into<String>) -> Response {
    fail(&Failure::new(400, "invalid_argument", words))
}

fn missing() -> Response {
    fail(&Failure::new(404, "not_found", "twirp error unknown: object cannot be found"))
}

/// A refusal is an answer like any other.
fn either(answer: Refusable) -> Response {
    answer.unwrap_or_else(|refused| refused)
}

impl Call {
    pub(super) fn create_trunk(&self) -> Response {
        either(self.sip_admin().and_then(|()| self.read()).and_then(|request: proto::CreateSipOutboundTrunkRequest| {
            let mut trunk = request.trunk.unwrap_or_default();
            match &trunk {
                t if t.address.is_empty() => return Err(invalid("no outbound address specified")),
                t if t.numbers.is_empty() => return Err(invalid("no trunk numbers specified")),
                t if t.address.starts_with("sip:") => return Err(invalid("trunk address should be a hostname or IP, not SIP URI")),
                _ => {}
            }
            trunk.sip_trunk_id = id("ST_");
            self.sim.world.lock().trunks.insert(0, trunk.clone());
            Ok(self.ok(&trunk))
        }))
    }

    pub(super) fn list_trunks(&self) -> Response {
        either(self.sip_admin().map(|()| {
            let items = self.sim.world.lock().trunks.clone();
            self.ok(&proto::ListSipOutboundTrunkResponse { items })
        }))
    }

    /// Only what the product changes: a password.
    pub(super) fn update_trunk(&self) -> Response {
        either(self.sip_admin().and_then(|()| self.read()).and_then(|request: proto::UpdateSipOutboundTrunkRequest| {
            let mut world = self.sim.world.lock();
            let trunk = world.trunks.iter_mut().find(|t| t.sip_trunk_id == request.sip_trunk_id).ok_or_else(missing)?;
            let Some(TrunkAction::Update(update)) = request.action else { return Err(invalid("missing or unsupported action")) };
            trunk.auth_password = update.auth_password.unwrap_or_else(|| trunk.auth_password.clone());
            Ok(self.ok(trunk))
        }))
    }

    pub(super) fn create_inbound_trunk(&self) -> Response {
        either(self.sip_admin().and_then(|()| self.read()).and_then(|request: proto::CreateSipInboundTrunkRequest| {
            let mut trunk = request.trunk.unwrap_or_default();
            if trunk.numbers.is_empty() && trunk.allowed_addresses.is_empty() && trunk.auth_username.is_empty() {
                return Err(invalid("for security, one of the fields must be set: AuthUsername+AuthPassword, AllowedAddresses or Numbers"));
            }
            let mut world = self.sim.world.lock();
            if let Some(other) = world.inbound_trunks.iter().find(|t| t.numbers.iter().any(|n| trunk.numbers.contains(n))) {
                let words = format!(
                    "Conflicting inbound SIP Trunks: \"<new>\" and \"{}\", using the same number(s) {:?} without AllowedNumbers set",
                    other.sip_trunk_id, trunk.numbers
                );
                return Err(invalid(words));
            }
            trunk.sip_trunk_id = id("ST_");
            world.inbound_trunks.insert(0, trunk.clone());
            Ok(self.ok(&trunk))
        }))
    }

    pub(super) fn list_inbound_trunks(&self) -> Response {
        either(self.sip_admin().map(|()| {
            let items = self.sim.world.lock().inbound_trunks.clone();
            self.ok(&proto::ListSipInboundTrunkResponse { items })
        }))
    }

    pub(super) fn create_rule(&self) -> Response {
        either(self.sip_admin().and_then(|()| self.read()).and_then(|request: proto::CreateSipDispatchRuleRequest| {
            let mut rule = rule_of(request);
            let mut world = self.sim.world.lock();
            let meets = |r: &&proto::SipDispatchRuleInfo| {
                r.inbound_numbers == rule.inbound_numbers && (r.trunk_ids == rule.trunk_ids || r.trunk_ids.iter().any(|t| rule.trunk_ids.contains(t)))
            };
            if let Some(other) = world.rules.iter().find(meets) {
                let words = format!(
                    "Dispatch rule for the same trunk, inbound number, number, and PIN combination already exists in dispatch rule \"{}\" \"{}\"",
                    other.sip_dispatch_rule_id, other.name
                );
                return Err(invalid(words));
            }
            rule.sip_dispatch_rule_id = id("SDR_");
            world.rules.insert(0, rule.clone());
            Ok(self.ok(&rule))
        }))
    }

    pub(super) fn update_rule(&self) -> Response {
        either(self.sip_admin().and_then(|()| self.read()).and_then(|request: proto::UpdateSipDispatchRuleRequest| {
            let mut world = self.sim.world.lock();
            let rule = world.rules.iter_mut().find(|r| r.sip_dispatch_rule_id == request.sip_dispatch_rule_id).ok_or_else(missing)?;
            let Some(RuleAction::Replace(replaced)) = request.action else { return Err(invalid("missing or unsupported action")) };
            *rule = proto::SipDispatchRuleInfo { sip_dispatch_rule_id: request.sip_dispatch_rule_id, ..replaced };
            Ok(self.ok(rule))
        }))
    }

    pub(super) fn list_rules(&self) -> Response {
        either(self.sip_admin().map(|()| {
            let items = self.sim.world.lock().rules.clone();
            self.ok(&proto::ListSipDispatchRuleResponse { items })
        }))
    }
}

/// A rule as it is asked for now, or by the fields of before.
#[expect(deprecated, reason = "clients of before are answered too")]
fn rule_of(request: proto::CreateSipDispatchRuleRequest) -> proto::SipDispatchRuleInfo {
    request.dispatch_rule.unwrap_or(proto::SipDispatchRuleInfo {
        rule: request.rule,
        trunk_ids: request.trunk_ids,
        hide_phone_number: request.hide_phone_number,
        inbound_numbers: request.inbound_numbers,
        name: request.name,
        metadata: request.metadata,
        room_config: request.room_config,
        ..Default::default()
    })
}
