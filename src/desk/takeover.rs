//! What an engine does with calls of earlier runs, and the hang-up that somebody asks for.

use super::{Actor, Desk, DeskError, Installation, audit, claim::room_name};
use crate::{
    domain::{
        Refusal,
        call::State,
        event::{CallEvent, Kind, Lost, Source, Target},
        id::{CallId, Incarnation},
    },
    store::{Lane, Setting},
};

impl Desk {
    /// Asks for a hang-up; an engine acts on the row. A call not yet on the line is taken out of the queue.
    ///
    /// # Errors
    /// When there is no such call, or it has ended.
    pub async fn hang_up(&self, actor: Actor, call: CallId) -> Result<(), DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let row = tx.call(call).await?.filter(|r| r.user_id == actor.owner).ok_or(DeskError::NotFound("call"))?;
                    if row.state.is_ended() {
                        return Err(Refusal::new("state", format!("the call has ended ({})", row.state.words())).into());
                    }
                    if row.state == State::Pending {
                        return Err(Refusal::new("state", "the call is still in the queue: stop or pause its campaign").into());
                    }
                    tx.request_hangup(call, now).await?;
                    audit(tx, &actor, now, "hangup_requested", Some(call.0), &serde_json::json!({})).await
                })
            })
            .await
    }

    /// At the start of an engine on this host: claims of earlier runs are released, armed calls
    /// become unknown, open ones are taken over. Answers the rooms of the released claims (to be
    /// deleted) and how many calls were taken over.
    pub async fn take_over(&self, installation: Installation, mine: Incarnation, host: String) -> Result<(Vec<String>, usize), DeskError> {
        let now = self.now();
        // From this commit on no other engine claims or arms: one that was stopped and wakes up finds itself replaced.
        let others = self
            .store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    tx.put_setting(Setting::Leader, &mine.to_string()).await?;
                    tx.put_engine(mine, &host, i64::from(std::process::id()), now).await?;
                    // What an earlier engine waited for, it waited for alone.
                    tx.clear_notes().await?;
                    Ok::<_, DeskError>(tx.calls_of_others(mine).await?)
                })
            })
            .await?;
        let mut rooms = Vec::new();
        let mut open = 0;
        for row in others {
            if row.state == State::Claimed {
                rooms.push(room_name(&installation, row.id, row.claim_number));
                self.release(row.id, row.claim_number, Some(now), "the engine restarted".to_owned()).await?;
                continue;
            }
            open += 1;
            if row.reply_pending {
                let event = CallEvent {
                    key: format!("engine:{mine}:restart:{}", row.id),
                    target: Target::Call(row.id),
                    source: Source::Engine,
                    at: now,
                    kind: Kind::ReplyLost { cause: Lost::Restarted },
                    raw: serde_json::Value::Null,
                };
                self.record(event).await?;
            }
        }
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok::<_, DeskError>(tx.adopt(mine).await?) })).await?;
        Ok((rooms, open))
    }
}
