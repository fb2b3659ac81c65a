//! A number's turn: whoever makes what it needs at LiveKit has a row, so that another process that assigns the same
//! number waits, and then finds what was made.

use chrono::Duration;
use uuid::Uuid;

use super::{Desk, DeskError};
use crate::{domain::phone::PhoneNumber, store::Lane};

/// A number that nobody else makes trunks for.
#[derive(Debug)]
pub struct Assigning {
    number: PhoneNumber,
    by: Uuid,
}

/// Who is not heard of for so long has died.
const LEASE: Duration = Duration::minutes(1);
/// So long another is waited for.
const PATIENCE: Duration = Duration::seconds(90);

impl Desk {
    /// Waits for a number's turn, and takes it.
    ///
    /// # Errors
    /// When another goes on for too long.
    pub async fn begin_assigning(&self, number: PhoneNumber) -> Result<Assigning, DeskError> {
        let (begun, turn) = (self.now(), Assigning { number, by: Uuid::new_v4() });
        let mut bell = self.store.bell();
        loop {
            bell.borrow_and_update();
            let now = self.now();
            let taken = self.store.assigned_until(turn.number.as_str()).await?.is_some_and(|until| until > now);
            if !taken && self.take_turn(&turn).await? {
                return Ok(turn);
            }
            if now - begun > PATIENCE {
                return Err(DeskError::Conflict(format!("{} is being assigned by another process: try again in a minute", turn.number)));
            }
            self.rung(&mut bell, now).await;
        }
    }

    async fn take_turn(&self, turn: &Assigning) -> Result<bool, DeskError> {
        let (number, by, clock) = (turn.number.to_string(), turn.by, self.clock.clone());
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let now = clock.now();
                    Ok(tx.take_assigning(&number, by, now + LEASE, now).await?)
                })
            })
            .await
    }

    /// Before something is made: whether the turn is still ours, and it is for longer.
    ///
    /// # Errors
    /// When this process was held up for so long that another has taken the number.
    pub async fn go_on_assigning(&self, turn: &Assigning) -> Result<(), DeskError> {
        let (number, by, until) = (turn.number.to_string(), turn.by, self.now() + LEASE);
        let ours = self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok::<_, DeskError>(tx.keep_assigning(&number, by, until).await?) })).await?;
        if ours { Ok(()) } else { Err(DeskError::Conflict(format!("another process assigns {} by now: look at what it made", turn.number))) }
    }

    /// Lets the next one have it.
    pub async fn end_assigning(&self, turn: Assigning) {
        let (number, by) = (turn.number.to_string(), turn.by);
        let ended = self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok::<_, DeskError>(tx.end_assigning(&number, by).await?) })).await;
        if let Err(e) = ended {
            tracing::warn!(target: "desk", error = %e, "a number's turn ends by itself in a minute");
        }
    }
}
