//! A campaign started: what must be there before it may dial, and its first rows.

use super::{Actor, Desk, DeskError, housekeeping::is_emptying, running::shift};
use crate::{
    domain::{
        Refusal,
        campaign::{self, Command, Status},
        id::CampaignId,
    },
    store::{CampaignRow, Lane},
};

/// Rows made before a start answers, so that the first claim finds some.
const FIRST: usize = 10;

impl Desk {
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
}
