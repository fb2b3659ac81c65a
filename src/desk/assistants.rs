//! Assistants: made, changed, deleted. No two of one owner have the same name: people, and the command line, know them
//! by it.

use serde_json::json;

use super::{
    Actor, Desk, DeskError, audit,
    campaigns::{LONGEST_NAME, agent_complaint},
};
use crate::{
    domain::{
        FieldError,
        id::{AssistantId, OwnerId},
        script,
        text::{clean, is_name},
    },
    store::{AssistantRow, Lane, StoreError, Tx},
};

/// What of an assistant may be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssistantEdit {
    pub name: String,
    /// `None`: the installation's own worker.
    pub agent_name: Option<String>,
    pub prompt: String,
}

impl Desk {
    /// # Errors
    /// When a field is wrong, or the id or the name is taken.
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
        let mut errors = complaints(&name, agent_name.as_deref(), &prompt);
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
                    refuse_namesake(tx, actor.owner, &row.name, row.id).await?;
                    tx.insert_assistant(&row).await.map_err(|e| match e {
                        StoreError::Unique => DeskError::Conflict("an assistant with this id exists already".to_owned()),
                        e => e.into(),
                    })?;
                    audit(tx, &actor, now, "assistant_created", Some(row.id.0), &json!({ "name": row.name })).await?;
                    Ok(row)
                })
            })
            .await
    }

    /// Changes an assistant; its script holds from the next call on.
    ///
    /// # Errors
    /// When there is none, a field is wrong, or the name is another's.
    pub async fn edit_assistant(&self, actor: Actor, id: AssistantId, edit: AssistantEdit) -> Result<(), DeskError> {
        let now = self.now();
        let errors = complaints(&edit.name, edit.agent_name.as_deref(), &edit.prompt);
        if !errors.is_empty() {
            return Err(DeskError::Invalid(errors));
        }
        let edit = AssistantEdit { name: clean(edit.name.trim(), LONGEST_NAME), ..edit };
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let before = tx.assistant(actor.owner, id).await?.ok_or(DeskError::NotFound("assistant"))?;
                    // One that shares its name since before keeps it: only a new name is judged.
                    if !before.name.eq_ignore_ascii_case(&edit.name) {
                        refuse_namesake(tx, actor.owner, &edit.name, id).await?;
                    }
                    tx.edit_assistant(id, &edit.name, edit.agent_name.as_deref(), &edit.prompt, now).await?;
                    audit(tx, &actor, now, "assistant_changed", Some(id.0), &json!({ "name": edit.name, "before": before.name })).await
                })
            })
            .await
    }

    /// Deletes an assistant for whom nothing was ever called; its numbers stay, and wait for another.
    ///
    /// # Errors
    /// When there is none, or campaigns or calls in the records are under it.
    pub async fn delete_assistant(&self, actor: Actor, id: AssistantId) -> Result<(), DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let row = tx.assistant(actor.owner, id).await?.ok_or(DeskError::NotFound("assistant"))?;
                    if let Some((campaign, deleted)) = tx.campaign_of_assistant(id).await? {
                        return Err(DeskError::Conflict(if deleted {
                            format!("assistant \"{}\" stays: the records of campaign \"{campaign}\", which was deleted, are under its name", row.name)
                        } else {
                            format!("assistant \"{}\" calls for campaign \"{campaign}\": give the campaign another assistant first", row.name)
                        }));
                    }
                    tx.delete_assistant(id).await?;
                    audit(tx, &actor, now, "assistant_deleted", Some(id.0), &json!({ "name": row.name })).await
                })
            })
            .await
    }
}

fn complaints(name: &str, agent_name: Option<&str>, prompt: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if !is_name(name, LONGEST_NAME) {
        errors.push(FieldError::new("name", format!("1 to {LONGEST_NAME} characters that can be seen are needed")));
    }
    errors.extend(script::complaint("prompt", prompt));
    errors.extend(agent_complaint(agent_name));
    errors
}

async fn refuse_namesake(tx: &mut Tx, owner: OwnerId, name: &str, id: AssistantId) -> Result<(), DeskError> {
    if tx.assistant_is_named(owner, name, id).await? {
        return Err(DeskError::Conflict(format!("an assistant is called \"{name}\" already: give this one another name")));
    }
    Ok(())
}
