//! What an engine does with calls of earlier runs.

use chrono::Duration;

use super::{Desk, DeskError, Installation, by_hand::cancel_asked, claim::room_name};
use crate::{
    domain::{
        call::State,
        dispatch::{Closed, Gate},
        event::{CallEvent, Kind, Lost, Source, Target},
        id::Incarnation,
    },
    store::{Lane, Setting},
};

impl Desk {
    /// Goes on dialling alone for so long; `false` when another engine has taken that over. One host's lock decides where
    /// one file is the database.
    pub async fn renew_lease(&self, mine: Incarnation, host: String, lease: Duration) -> Result<bool, DeskError> {
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok(tx.take_lease(mine, &host, lease.as_seconds_f64()).await?) })).await
    }

    /// At the start of an engine on this host: claims of earlier runs are released, armed calls
    /// become unknown, open ones are taken over. Answers the rooms of the released claims (to be
    /// deleted) and how many calls were taken over.
    pub async fn take_over(&self, installation: Installation, mine: Incarnation, host: String, lease: Duration) -> Result<(Vec<String>, usize), DeskError> {
        let now = self.now();
        // From this commit on no other engine claims or arms: one that was stopped and wakes up finds itself replaced.
        let others = self
            .store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    if !tx.take_lease(mine, &host, lease.as_seconds_f64()).await? {
                        return Err(DeskError::Conflict("another host dials with this database".to_owned()));
                    }
                    tx.put_setting(Setting::Leader, &mine.to_string()).await?;
                    tx.put_engine(mine, &host, i64::from(std::process::id()), now).await?;
                    // What an earlier engine waited for, it waited for alone.
                    tx.clear_notes().await?;
                    // Who asked for a call of an engine that died is told so: it is not dialled later by surprise.
                    cancel_asked(tx, None, &Closed::new(Gate::Engine, "the engine restarted before it was dialled: ask again"), now).await?;
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
