//! Assistants, their numbers and the trunks they call by. Trunks are made at LiveKit by whoever
//! asks; here they are recorded.

use sqlx::types::Json;

use super::{
    Actor, Desk, DeskError, audit,
    campaigns::{LONGEST_NAME, agent_complaint, countries_of},
};
use crate::{
    domain::{
        FieldError,
        id::{AssistantId, TrunkId},
        phone::PhoneNumber,
        script,
        text::{clean, is_name},
    },
    store::{AssistantRow, Lane, StoreError, TrunkRow},
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
    /// # Errors
    /// When a field is wrong or the id is taken.
    pub async fn add_assistant(
        &self,
        actor: Actor,
        id: Option<AssistantId>,
        name: String,
        agent_name: Option<String>,
        prompt: String,
        language: Option<String>,
    ) -> Result<AssistantRow, DeskError> {
        let now = self.now();
        let mut errors = Vec::new();
        if !is_name(&name, LONGEST_NAME) {
            errors.push(FieldError::new("name", format!("1 to {LONGEST_NAME} characters that can be seen are needed")));
        }
        errors.extend(script::complaint("prompt", &prompt));
        errors.extend(agent_complaint(agent_name.as_deref()));
        let name = clean(name.trim(), LONGEST_NAME);
        let language = language.unwrap_or_else(|| "en".to_owned());
        if language.is_empty() || !language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') || language.len() > 35 {
            errors.push(FieldError::new("language", "write it as BCP 47 does: en, en-US, de"));
        }
        if !errors.is_empty() {
            return Err(DeskError::Invalid(errors));
        }
        let row = AssistantRow { id: id.unwrap_or_else(AssistantId::fresh), user_id: actor.owner, name, agent_name, prompt, language, created_at: now };
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    tx.insert_assistant(&row).await.map_err(|e| match e {
                        StoreError::Unique => DeskError::Conflict("an assistant with this id exists already".to_owned()),
                        e => e.into(),
                    })?;
                    audit(tx, &actor, now, "assistant_created", Some(row.id.0), &serde_json::json!({ "name": row.name })).await?;
                    Ok(row)
                })
            })
            .await
    }

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
