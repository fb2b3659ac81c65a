//! Campaigns: made, edited, started, paused, resumed, stopped, deleted; their queue filled.

use chrono::{DateTime, Utc};

use super::{Actor, Desk, DeskError, Stopped, audit, by_hand::cancel_asked, claim::end_unarmed, housekeeping::is_emptying, retries};
use crate::{
    domain::{
        FieldError, Refusal,
        call::State,
        campaign::{self, Command, ContactSource, Settings, Status},
        dispatch::{Closed, Gate},
        id::{AssistantId, CallId, CampaignId, OwnerId, SourceId},
        legal,
        phone::PhoneNumber,
        place, retry,
        rules::Profile,
        script::{self, Script},
        stats::Counts,
        text::{self, clean},
    },
    store::{CampaignEdit, CampaignRow, Lane, NewCall, NewCampaign, Tx},
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

/// What a start found: shown before and with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Preflight {
    pub contacts: i64,
    pub do_not_call: i64,
    /// Contacts that lack a field of the script, among the first looked at.
    pub missing_fields: Vec<String>,
    pub contacts_without_fields: i64,
    pub dialable_now: i64,
    /// When the first call may be made, if not now, and why.
    pub waiting_until: Option<DateTime<Utc>>,
    pub why: String,
}

/// The longest name of a campaign, letters.
pub(super) const LONGEST_NAME: usize = 200;

/// The longest name of an agent worker, letters.
const LONGEST_AGENT: usize = 100;

/// Promised callbacks that a stop remembers by name.
const PROMISED: i64 = 1000;

/// Rows made a transaction while a campaign fills its queue.
const CHUNK: i64 = 500;

/// Rows made before a start answers, so that the first claim finds some.
const FIRST: usize = 10;

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

    /// Starts a campaign: its queue begins to fill, the engine goes on by itself.
    ///
    /// # Errors
    /// When its state forbids it, or it has no assistant, trunk, script or contact to call.
    pub async fn start(&self, actor: Actor, id: CampaignId) -> Result<(), DeskError> {
        let row = self.store.campaign(actor.owner, id).await?.ok_or(DeskError::NotFound("campaign"))?;
        campaign::transition(&row.name, row.execution_status, Command::Start)?;
        if row.manual {
            return Err(Refusal::new("state", format!("\"{}\" is made of single calls: it is not started", row.name)).into());
        }
        self.refuse_without_terms().await?;
        self.ready(&row).await?;
        let fresh = loop {
            match self.move_to_running(&actor, id).await? {
                Some(fresh) => break fresh,
                // What a stop has not taken off the queue yet is not called by the next run.
                None => self.finish_stop(id).await?,
            }
        };
        for _ in 0..FIRST {
            if !self.fill(actor.owner, id).await? {
                break;
            }
        }
        if fresh {
            self.refuse_if_nothing_to_do(&actor, id).await?;
        }
        Ok(())
    }

    /// Whether it looks at its contacts from the first: a paused one goes on where it was. `None` while a
    /// stop is still being carried out.
    async fn move_to_running(&self, actor: &Actor, id: CampaignId) -> Result<Option<bool>, DeskError> {
        let (by, now) = (actor.clone(), self.now());
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let row = tx.campaign(by.owner, id).await?.ok_or(DeskError::NotFound("campaign"))?;
                    if is_emptying(tx, id, row.execution_status).await? {
                        return Ok(None);
                    }
                    shift(tx, &by, &row, Command::Start, "", now).await?;
                    let fresh = row.execution_status != Status::Paused;
                    // In the same transaction: an engine must not find it running and empty.
                    if fresh {
                        tx.set_fill(id, Some(0)).await?;
                    }
                    Ok(Some(fresh))
                })
            })
            .await
    }

    async fn ready(&self, row: &CampaignRow) -> Result<(), DeskError> {
        self.missing(row).await?.into_iter().next().map_or(Ok(()), |refusal| Err(refusal.into()))
    }

    /// What must be there before a campaign may dial at all, and is not: in words with the way out.
    pub async fn missing(&self, row: &CampaignRow) -> Result<Vec<Refusal>, DeskError> {
        let mut all = Vec::new();
        if row.script().trim().is_empty() {
            all.push(Refusal::new("script", format!("campaign \"{}\" has no script: give it one, or give its assistant a prompt", row.name)));
        }
        let number = self.store.number_of(row.assistant_id).await?;
        if number.as_ref().and_then(|n| n.trunk_id).is_none() {
            let words = format!(
                "No outbound trunk found for assistant \"{}\": assign it a number with `dialdeck number assign` or POST /phone-numbers/assign",
                row.assistant_name
            );
            all.push(Refusal::new("trunk", words));
        }
        let source = match row.source_id() {
            Some(id) => self.store.source(row.user_id, id).await?,
            None => None,
        };
        all.extend(
            match source {
                None => Some(format!("the contact list of campaign \"{}\" is gone", row.name)),
                Some(s) if s.contacts - s.do_not_call <= 0 => {
                    Some(format!("\"{}\" has no contact that may be called: import some with `i` or `dialdeck import`", s.name))
                }
                Some(_) => None,
            }
            .map(|words| Refusal::new("contacts", words)),
        );
        Ok(all)
    }

    async fn refuse_if_nothing_to_do(&self, actor: &Actor, id: CampaignId) -> Result<(), DeskError> {
        let Some(row) = self.store.campaign(actor.owner, id).await? else { return Ok(()) };
        if row.fill_position.is_some() || row.counts.pending + row.counts.processing > 0 {
            return Ok(());
        }
        let engine = Actor::engine(actor.owner);
        self.finish(engine, id, Status::Completed, "everybody was reached or has no attempt left".to_owned()).await?;
        Err(Refusal::new("contacts", format!("nobody is left to call in \"{}\": everybody was reached or has no attempt left", row.name)).into())
    }

    /// # Errors
    /// When the campaign is not running.
    pub async fn pause(&self, actor: Actor, id: CampaignId) -> Result<(), DeskError> {
        let reason = format!("paused by {}", actor.name);
        self.change(actor, id, Command::Pause, reason).await
    }

    /// # Errors
    /// When the campaign is not paused.
    pub async fn resume(&self, actor: Actor, id: CampaignId) -> Result<(), DeskError> {
        self.refuse_without_terms().await?;
        self.change(actor, id, Command::Resume, String::new()).await
    }

    /// Stops a campaign for good: from the answer on nothing of it is armed, what waits is canceled in
    /// slices, live calls are kept or hung up as asked.
    ///
    /// # Errors
    /// When there is nothing to stop.
    pub async fn stop(&self, actor: Actor, id: CampaignId, hang_up: bool) -> Result<Stopped, DeskError> {
        let now = self.now();
        let stopped = self
            .store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let row = tx.campaign(actor.owner, id).await?.ok_or(DeskError::NotFound("campaign"))?;
                    let reason = format!("stopped by {}", actor.name);
                    shift(tx, &actor, &row, Command::Stop, &reason, now).await?;
                    tx.set_fill(id, None).await?;
                    let promised = tx.promised_in(id, PROMISED).await?;
                    let promises = tx.break_promises(id).await?;
                    // Those being prepared at once: a new start must not find them and call them.
                    let claimed = tx.claimed_of(id).await?;
                    let canceled = row.counts.pending + i64::try_from(claimed.len()).unwrap_or(0);
                    for call in claimed {
                        end_unarmed(tx, call, State::Canceled, &reason, now).await?;
                    }
                    let live = tx.count_open(id).await?;
                    if hang_up {
                        tx.hang_up_campaign(id, &actor.name, actor.source, now).await?;
                    }
                    Ok::<_, DeskError>(Stopped { canceled, live, promises, promised })
                })
            })
            .await?;
        self.begin_to_empty(id).await;
        Ok(stopped)
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

    /// Pauses every running campaign of the owner; answers which, so that the same can be resumed.
    pub async fn pause_all(&self, actor: Actor) -> Result<Vec<CampaignId>, DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let mut paused = Vec::new();
                    for row in tx.campaigns_in(actor.owner, Status::Running).await? {
                        shift(tx, &actor, &row, Command::Pause, &format!("paused with all others by {}", actor.name), now).await?;
                        paused.push(row.id);
                    }
                    Ok(paused)
                })
            })
            .await
    }

    /// Resumes those of the given campaigns that are still paused; answers how many.
    pub async fn resume_all(&self, actor: Actor, ids: Vec<CampaignId>) -> Result<usize, DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let mut resumed = 0;
                    for row in tx.campaigns_in(actor.owner, Status::Paused).await?.iter().filter(|r| ids.contains(&r.id)) {
                        shift(tx, &actor, row, Command::Resume, "", now).await?;
                        resumed += 1;
                    }
                    Ok(resumed)
                })
            })
            .await
    }

    /// Makes the next rows of a filling campaign's queue; `false` when the queue is full.
    pub async fn fill(&self, owner: OwnerId, id: CampaignId) -> Result<bool, DeskError> {
        let now = self.now();
        self.store.write(Lane::Bulk, move |tx| Box::pin(async move { fill(tx, owner, id, now).await })).await
    }

    /// Ends a running campaign by the engine: done, or an error of our own configuration.
    pub async fn finish(&self, actor: Actor, id: CampaignId, to: Status, reason: String) -> Result<bool, DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let Some(row) = tx.campaign(actor.owner, id).await? else { return Ok(false) };
                    let busy = row.fill_position.is_some() || row.counts.pending + row.counts.processing > 0;
                    if to == Status::Completed && busy {
                        return Ok(false);
                    }
                    let moved = tx.move_campaign(id, Status::Running, to, &reason, &actor.name, now).await?;
                    if moved {
                        let details = serde_json::json!({ "to": to, "reason": reason });
                        audit(tx, &actor, now, "campaign_finished", Some(id.0), &details).await?;
                    }
                    Ok(moved)
                })
            })
            .await
    }

    async fn change(&self, actor: Actor, id: CampaignId, command: Command, reason: String) -> Result<(), DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let row = tx.campaign(actor.owner, id).await?.ok_or(DeskError::NotFound("campaign"))?;
                    shift(tx, &actor, &row, command, &reason, now).await
                })
            })
            .await
    }
}

/// One command on one campaign: judged, written, audited.
async fn shift(tx: &mut Tx, actor: &Actor, row: &CampaignRow, command: Command, reason: &str, now: DateTime<Utc>) -> Result<(), DeskError> {
    let to = campaign::transition(&row.name, row.execution_status, command)?;
    if !tx.move_campaign(row.id, row.execution_status, to, reason, &actor.name, now).await? {
        return Err(DeskError::Conflict(format!("campaign \"{}\" was changed meanwhile", row.name)));
    }
    if matches!(command, Command::Pause | Command::Stop) {
        cancel_asked(tx, Some(row.id), &Closed::new(Gate::State, reason), now).await?;
    }
    let details = serde_json::json!({ "from": row.execution_status, "to": to });
    audit(tx, actor, now, "campaign_moved", Some(row.id.0), &details).await
}

async fn fill(tx: &mut Tx, owner: OwnerId, id: CampaignId, now: DateTime<Utc>) -> Result<bool, DeskError> {
    let Some(row) = tx.campaign(owner, id).await? else { return Ok(false) };
    let (Some(position), Some(source)) = (row.fill_position, row.source_id()) else { return Ok(false) };
    if !matches!(row.execution_status, Status::Running | Status::Paused) {
        return Ok(false);
    }
    // First what a stop broke: those contacts were promised a call.
    if retries::bring_back(tx, &Actor::engine(owner), id, now).await? > 0 {
        return Ok(true);
    }
    let contacts = tx.contacts_to_queue(owner, source, id, position, CHUNK).await?;
    let Some(last) = contacts.last().map(|c| c.position) else {
        tx.set_fill(id, None).await?;
        return Ok(false);
    };
    let settled = tx.settled_contacts(id, &contacts).await?;
    let calls: Vec<NewCall> = contacts
        .into_iter()
        .filter(|c| !c.on_do_not_call && !settled.contains(&c.id) && c.attempts < row.retry.0.max_attempts)
        .map(|c| NewCall {
            id: CallId::fresh(),
            contact_id: Some(c.id),
            // By the tables of today, not of its import.
            zones: legal::queue_key(&place::key_again(&c.phone_number, c.said.as_deref(), &c.zones), &c.country, &c.phone_number),
            phone_number: c.phone_number,
            contact_name: c.name,
            contact_email: c.email,
            country: c.country,
            position: c.position,
            attempt: c.attempts + 1,
            priority: 0,
            // The rule's spacing holds over a stop and a new start.
            dialable_at: c.last_end.map_or(row.status_at, |t| row.status_at.max(t + retry::wait(row.retry.0.no_answer_minutes))),
        })
        .collect();
    let n = i64::try_from(tx.insert_calls(owner, id, &calls, now).await?).unwrap_or(0);
    tx.add_counts(id, &Counts { total: n, pending: n, ..Counts::default() }).await?;
    tx.set_fill(id, Some(last)).await?;
    Ok(true)
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

/// The script's needs that a sample of contacts does not meet: the fields, and how many contacts lack one.
pub(super) fn missing_fields(script_text: &str, contacts: &[crate::store::FillContact]) -> (Vec<String>, i64) {
    let required = Script::parse(script_text).required();
    let mut lacking: Vec<String> = Vec::new();
    let mut count = 0;
    for c in contacts {
        let fields = crate::domain::contact::script_fields(&c.name, &c.email, &c.company, &c.fields);
        let missing: Vec<_> = required.iter().filter(|f| fields.get(&script::key(f)).is_none_or(|v| v.trim().is_empty())).collect();
        count += i64::from(!missing.is_empty());
        for field in missing {
            if !lacking.contains(field) {
                lacking.push(field.clone());
            }
        }
    }
    (lacking, count)
}

/// The countries of a trunk's own numbers: where it may call unless the configuration names more.
pub(super) fn countries_of(numbers: &[String]) -> Vec<String> {
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
