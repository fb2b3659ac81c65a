//! Campaigns: made, edited, deleted.

use super::{Actor, Desk, DeskError, audit};
use crate::{
    domain::{
        FieldError, Refusal,
        campaign::{self, Command, ContactSource, Settings},
        id::{AssistantId, CampaignId, SourceId},
        rules::Profile,
        script,
        text::{self, clean},
    },
    store::{CampaignEdit, CampaignRow, Lane, NewCampaign},
};

/// A campaign as its maker describes it.
#[derive(Debug, Clone)]
pub struct CampaignDraft {
    pub name: String,
    pub assistant: AssistantId,
    pub source: ContactSource,
    pub source_id: SourceId,
    /// Empty: the assistant's prompt is the script.
    pub prompt: String,
    pub agent_name: Option<String>,
    pub settings: Settings,
}

/// The longest name of a campaign, letters.
pub(super) const LONGEST_NAME: usize = 200;

/// The longest name of an agent worker, letters.
const LONGEST_AGENT: usize = 100;

impl Desk {
    /// # Errors
    /// Every field that is wrong, at once.
    pub async fn create_campaign(&self, actor: Actor, draft: CampaignDraft) -> Result<CampaignId, DeskError> {
        let now = self.now();
        let profile = self.rules.profile;
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let mut errors = check(&draft.name, &draft.prompt, draft.agent_name.as_deref(), &draft.settings, profile);
                    if tx.assistant(actor.owner, draft.assistant).await?.is_none() {
                        errors.push(FieldError::new("assistantId", "no such assistant"));
                    }
                    if !tx.has_source(actor.owner, draft.source, draft.source_id).await? {
                        let field = if draft.source == ContactSource::CsvFile { "csvFileId" } else { "contactListId" };
                        errors.push(FieldError::new(field, "no such list or file"));
                    }
                    if !errors.is_empty() {
                        return Err(DeskError::Invalid(errors));
                    }
                    let id = CampaignId::fresh();
                    let row = NewCampaign {
                        id,
                        owner: actor.owner,
                        name: clean(draft.name.trim(), LONGEST_NAME),
                        assistant: draft.assistant,
                        source: draft.source,
                        source_id: Some(draft.source_id),
                        prompt: draft.prompt,
                        agent_name: draft.agent_name,
                        settings: draft.settings,
                    };
                    tx.insert_campaign(&row, now).await?;
                    audit(tx, &actor, now, "campaign_created", Some(id.0), &serde_json::json!({ "name": row.name })).await?;
                    Ok(id)
                })
            })
            .await
    }

    /// Every field that is wrong in itself, for who has more to say about them.
    #[must_use]
    pub fn complaints_of_campaign(&self, name: &str, prompt: &str, agent_name: Option<&str>, settings: &Settings) -> Vec<FieldError> {
        check(name, prompt, agent_name, settings, self.rules.profile)
    }

    /// Changes what an operator may change, running or not; calls prepared before are judged anew.
    ///
    /// # Errors
    /// Every field that is wrong, at once.
    pub async fn edit_campaign(&self, actor: Actor, id: CampaignId, edit: CampaignEdit) -> Result<(), DeskError> {
        let now = self.now();
        let profile = self.rules.profile;
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let was = tx.campaign(actor.owner, id).await?.ok_or(DeskError::NotFound("campaign"))?;
                    let mut errors = check(&edit.name, &edit.prompt, edit.agent_name.as_deref(), &edit.settings, profile);
                    if tx.assistant(actor.owner, edit.assistant).await?.is_none() {
                        errors.push(FieldError::new("assistantId", "there is no such assistant"));
                    }
                    if !errors.is_empty() {
                        return Err(DeskError::Invalid(errors));
                    }
                    let edit = CampaignEdit { name: clean(edit.name.trim(), LONGEST_NAME), ..edit };
                    tx.update_campaign(id, &edit, now).await?;
                    audit(tx, &actor, now, "campaign_edited", Some(id.0), &serde_json::json!({ "changed": changes(&was, &edit) })).await
                })
            })
            .await
    }

    /// Gives a campaign more lines at once, or fewer, by one that was there or not in between: from how many to how
    /// many. At the end of the range it stays.
    pub async fn change_lines(&self, actor: Actor, id: CampaignId, by: i64) -> Result<(i64, i64), DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let row = tx.campaign(actor.owner, id).await?.ok_or(DeskError::NotFound("campaign"))?;
                    let lines = row.max_concurrent.saturating_add(by).clamp(1, campaign::MOST_AT_ONCE);
                    if lines != row.max_concurrent {
                        let settings = Settings { max_concurrent: lines, ..row.settings() };
                        let edit =
                            CampaignEdit { name: row.name, assistant: row.assistant_id, prompt: row.campaign_prompt, agent_name: row.agent_name, settings };
                        tx.update_campaign(id, &edit, now).await?;
                        audit(tx, &actor, now, "campaign_edited", Some(id.0), &serde_json::json!({ "maxConcurrent": lines })).await?;
                    }
                    Ok((row.max_concurrent, lines))
                })
            })
            .await
    }

    /// # Errors
    /// When it runs or has live calls.
    pub async fn delete_campaign(&self, actor: Actor, id: CampaignId) -> Result<(), DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let row = tx.campaign(actor.owner, id).await?.ok_or(DeskError::NotFound("campaign"))?;
                    campaign::transition(&row.name, row.execution_status, Command::Delete)?;
                    if row.counts.processing > 0 {
                        return Err(Refusal::new("state", format!("campaign \"{}\" has {} live calls", row.name, row.counts.processing)).into());
                    }
                    tx.delete_campaign(id, now).await?;
                    audit(tx, &actor, now, "campaign_deleted", Some(id.0), &serde_json::json!({ "name": row.name })).await
                })
            })
            .await
    }
}

fn check(name: &str, prompt: &str, agent_name: Option<&str>, settings: &Settings, profile: Profile) -> Vec<FieldError> {
    let mut errors = settings.validate();
    if !text::is_name(name, LONGEST_NAME) {
        errors.insert(0, FieldError::new("name", format!("1 to {LONGEST_NAME} characters that can be seen are needed")));
    }
    errors.extend(script::complaint("campaignPrompt", prompt));
    errors.extend(agent_complaint(agent_name));
    if !settings.contact_hours && profile != Profile::None {
        errors.push(FieldError::new("contactHours", "contact-local legal hours can be switched off only under compliance profile \"none\""));
    }
    errors
}

/// What an edit changes, in words.
fn changes(was: &CampaignRow, edit: &CampaignEdit) -> Vec<String> {
    let (old, new) = (was.settings(), &edit.settings);
    let hours = |s: &Settings| format!("{} {}", s.window().map(|w| w.words()).unwrap_or_default(), s.timezone);
    let figures = [
        ("hours", hours(&old), hours(new)),
        ("cap", old.daily_cap.to_string(), new.daily_cap.to_string()),
        ("lines at once", old.max_concurrent.to_string(), new.max_concurrent.to_string()),
        ("ms between dials", old.call_delay_ms.to_string(), new.call_delay_ms.to_string()),
        ("tries each", old.retry.max_attempts.to_string(), new.retry.max_attempts.to_string()),
        ("name", was.name.clone(), edit.name.clone()),
    ];
    let changed = figures.into_iter().filter(|(_, old, new)| old != new).map(|(what, old, new)| format!("{what} {old} to {new}"));
    let others = [("script", was.campaign_prompt == edit.prompt), ("assistant", was.assistant_id == edit.assistant)];
    changed.chain(others.into_iter().filter(|(_, same)| !same).map(|(what, _)| what.to_owned())).collect()
}

/// What is wrong with an agent worker's name.
pub(super) fn agent_complaint(name: Option<&str>) -> Option<FieldError> {
    let wrong = name.is_some_and(|n| !n.is_empty() && (!text::is_name(n, LONGEST_AGENT) || clean(n, LONGEST_AGENT) != n));
    wrong.then(|| FieldError::new("agentName", format!("at most {LONGEST_AGENT} characters, all of them to be seen")))
}
