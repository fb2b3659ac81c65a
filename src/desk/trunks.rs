//! Numbers of assistants and the trunks they call by. Trunks are made at LiveKit by whoever asks; here they are
//! recorded.

use sqlx::types::Json;

use super::{Actor, Desk, DeskError, audit};
use crate::{
    domain::{
        id::{AssistantId, TrunkId},
        phone::PhoneNumber,
    },
    store::{Lane, TrunkRow},
};

/// A number, the assistant that calls from it, and the trunk at LiveKit that carries it.
#[derive(Debug, Clone)]
pub struct AssignNumber {
    pub number: PhoneNumber,
    pub assistant: AssistantId,
    /// LiveKit's id, `ST_…`.
    pub livekit_trunk: String,
    pub trunk_name: String,
    pub address: String,
    /// All numbers of the trunk.
    pub numbers: Vec<String>,
    pub inbound_trunk: Option<String>,
}

impl Desk {
    /// Points a number at an assistant and its trunk; a trunk of another owner stays theirs.
    ///
    /// # Errors
    /// When the assistant is unknown, or number or trunk are another owner's.
    pub async fn assign_number(&self, actor: Actor, assign: AssignNumber) -> Result<(), DeskError> {
        let now = self.now();
        let max_live = self.rules.trunk_concurrent;
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    tx.assistant(actor.owner, assign.assistant).await?.ok_or(DeskError::NotFound("assistant"))?;
                    let foreign = |owner: Option<_>| owner.is_some_and(|o| o != actor.owner);
                    if foreign(tx.number_owner(assign.number.as_str()).await?) || foreign(tx.trunk_owner(&assign.livekit_trunk).await?) {
                        return Err(DeskError::Conflict("the number or trunk belongs to another owner".to_owned()));
                    }
                    let mut numbers = assign.numbers;
                    if !numbers.iter().any(|n| n == assign.number.as_str()) {
                        numbers.push(assign.number.to_string());
                    }
                    let trunk = TrunkRow {
                        id: TrunkId::fresh(),
                        user_id: actor.owner,
                        livekit_id: assign.livekit_trunk.clone(),
                        name: assign.trunk_name.clone(),
                        address: assign.address,
                        countries: Json(countries_of(&numbers)),
                        numbers: Json(numbers),
                        live: 0,
                        max_live,
                    };
                    tx.put_trunk(&trunk, now).await?;
                    let inbound = assign.inbound_trunk.as_deref();
                    tx.put_number(actor.owner, assign.number.as_str(), assign.assistant, &assign.livekit_trunk, &assign.trunk_name, inbound, now).await?;
                    let details = serde_json::json!({ "number": assign.number, "trunk": assign.livekit_trunk });
                    audit(tx, &actor, now, "number_assigned", Some(assign.assistant.0), &details).await
                })
            })
            .await
    }

    /// Brings every trunk's limit to the configured one.
    pub async fn apply_trunk_limits(&self) -> Result<(), DeskError> {
        let max = self.rules.trunk_concurrent;
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok(tx.set_trunk_limits(max).await?) })).await
    }
}

/// The countries of a trunk's own numbers: where it may call unless the configuration names more.
fn countries_of(numbers: &[String]) -> Vec<String> {
    let mut countries: Vec<String> = Vec::new();
    for number in numbers {
        let country = PhoneNumber::parse(number, None).map(|p| p.country).ok();
        // A number of no plan (a lab's, a short code) still has a calling code; +1 is read as the US.
        let country = country.or_else(|| number.starts_with("+1").then(|| "US".to_owned()));
        if let Some(c) = country.filter(|c| !countries.contains(c)) {
            countries.push(c);
        }
    }
    countries
}
