//! A campaign that was started: paused, resumed, stopped, and ended by the engine. Each is one step of
//! [`campaign::transition`].

use chrono::{DateTime, Utc};

use super::{Actor, Desk, DeskError, Stopped, audit, by_hand::cancel_asked, claim::end_unarmed};
use crate::{
    domain::{
        call::State,
        campaign::{self, Command, Status},
        dispatch::{Closed, Gate},
        id::CampaignId,
    },
    store::{CampaignRow, Lane, Tx},
};

/// Promised callbacks that a stop remembers by name.
const PROMISED: i64 = 1000;

impl Desk {
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
pub(super) async fn shift(tx: &mut Tx, actor: &Actor, row: &CampaignRow, command: Command, reason: &str, now: DateTime<Utc>) -> Result<(), DeskError> {
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
