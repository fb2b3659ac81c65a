//! Idempotency keys: the first request under a key acts, those after it hear its reply.

use chrono::Duration;

use super::{Desk, DeskError};
use crate::{domain::id::OwnerId, store::Lane};

/// What a request was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub body: String,
    /// Where what it made is; empty where it made nothing.
    pub location: String,
}

/// How a key stands to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// It is this request's now.
    Fresh,
    Answered(Reply),
    /// It was used for a different request.
    Another,
    UnderWay,
}

/// Replies are kept this long.
const KEPT: Duration = Duration::hours(24);

/// A request that has not answered by then died with its process.
const STALE: Duration = Duration::minutes(10);

impl Desk {
    /// Takes a key for a request, or says what became of it.
    pub async fn reserve_key(&self, owner: OwnerId, key: String, request: String) -> Result<Reserved, DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    if tx.take_key(owner, &key, &request, now, now - STALE, now - KEPT).await? {
                        return Ok(Reserved::Fresh);
                    }
                    Ok(match tx.kept_reply(owner, &key).await? {
                        Some((first, ..)) if first != request => Reserved::Another,
                        Some((_, status, body, location)) if status > 0 => {
                            Reserved::Answered(Reply { status: u16::try_from(status).unwrap_or(200), body, location })
                        }
                        _ => Reserved::UnderWay,
                    })
                })
            })
            .await
    }

    /// Keeps the reply of a key; without one the key is free again.
    pub async fn settle_key(&self, owner: OwnerId, key: String, reply: Option<Reply>) -> Result<(), DeskError> {
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let reply = reply.as_ref().map(|r| (i64::from(r.status), r.body.as_str(), r.location.as_str()));
                    Ok(tx.settle_key(owner, &key, reply).await?)
                })
            })
            .await
    }
}
