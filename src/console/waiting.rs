//! A tag on its way to the database. Where that takes nothing for now (locked, its disk full, its file gone), the tag
//! waits and is tried again, with what the operator saw: never over somebody else's newer word.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::message::Msg;
use crate::{
    desk::{Actor, Desk, DeskError, SetOutcome},
    domain::{id::CallId, outcome::Outcome, outcome::Who},
    store::StoreError,
};

/// A tag as the operator gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    pub call: CallId,
    pub name: String,
    pub outcome: Option<Outcome>,
    pub previous: Option<Outcome>,
    pub callback_at: Option<DateTime<Utc>>,
}

/// Between two tries: at first, and at most.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15);

/// Writes a tag, however long that takes; what came of it is told, and meanwhile that it waits.
pub async fn write(desk: Desk, actor: Actor, tag: Tag, tell: impl Fn(Msg)) {
    let mut pause = FIRST;
    let mut again = false;
    let result = loop {
        let set = SetOutcome {
            call: tag.call,
            outcome: tag.outcome,
            notes: None,
            who: Who::Operator,
            confidence: None,
            callback_at: tag.callback_at,
            expected: Some(tag.previous),
        };
        match desk.set_outcome(actor.clone(), set).await {
            Ok(done) => break Ok(done.promise.map(|p| p.words)),
            Err(DeskError::Store(why @ (StoreError::Busy(_) | StoreError::Away(_) | StoreError::Moved(_)))) => {
                tell(Msg::TagWaits { call: tag.call, name: tag.name.clone(), outcome: tag.outcome, why: why.to_string() });
                tokio::time::sleep(pause).await;
                (pause, again) = ((pause * 2).min(LONGEST), true);
            }
            Err(DeskError::Conflict(_)) if again && is_written(&desk, &actor, &tag).await => break Ok(None),
            Err(why) => break Err(why.to_string()),
        }
    };
    tell(Msg::Tagged { call: tag.call, name: tag.name, outcome: tag.outcome, previous: tag.previous, undone: false, result });
}

/// A try that was told to have failed may have been kept after all.
async fn is_written(desk: &Desk, actor: &Actor, tag: &Tag) -> bool {
    desk.store().pane_row(actor.owner, tag.call).await.is_ok_and(|row| row.is_some_and(|r| r.outcome == tag.outcome))
}
