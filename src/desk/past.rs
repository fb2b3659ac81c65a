//! A database that went back in time: it does not know whom it called since, so nothing is dialled until an operator says
//! go. The hold is in the database, for all hosts; each host tells by what it remembers outside of it.

use super::{Actor, Desk, DeskError, audit};
use crate::{
    domain::id::OwnerId,
    store::{Lane, Setting, StoreError},
};

/// What an operator reads on every console, where the database is a server.
pub const WENT_BACK: &str = "the database may have gone back in time (put back from a backup, taken over by a copy that was behind, or another \
     server): nothing is dialled, for it may not know whom it called since. `dialdeck stop-all --release` goes on";

/// And where it is a file.
pub const WENT_BACK_FILE: &str = "this database is older than the calls made with it (put back from a backup, or its -wal file was lost): \
     nothing is dialled, for it does not know whom it called since. `dialdeck stop-all --release` goes on";

impl Desk {
    /// The name of the last hold of this kind, a later one's is greater; empty where there was none.
    pub async fn last_break(&self) -> Result<String, StoreError> {
        Ok(self.store.setting(Setting::WentBack).await?.unwrap_or_default())
    }

    /// Holds dialling, for the database went back in time. `known` is the last such hold that who tells this has seen: a
    /// newer one was of another host and for the same reason, and what an operator said of it stands.
    ///
    /// # Errors
    /// When the database refuses: then nothing may be dialled either.
    pub async fn hold_for_the_past(&self, known: String) -> Result<(), DeskError> {
        let now = self.now();
        let reason = if self.store.is_shared() { WENT_BACK } else { WENT_BACK_FILE };
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    if tx.setting(Setting::WentBack).await?.is_some_and(|last| last > known) {
                        return Ok(());
                    }
                    let owner = tx.setting(Setting::Owner).await?.and_then(|o| o.parse().ok()).map(OwnerId);
                    tx.put_setting(Setting::WentBack, &uuid::Uuid::now_v7().simple().to_string()).await?;
                    tx.put_setting(Setting::KillSwitch, "on").await?;
                    tx.put_setting(Setting::KillSwitchReason, reason).await?;
                    let actor = Actor::engine(owner.unwrap_or(OwnerId(uuid::Uuid::nil())));
                    tracing::error!(target: "desk", "{reason}");
                    audit(tx, &actor, now, "kill_switch_on", None, &serde_json::json!({ "reason": reason })).await
                })
            })
            .await
    }
}
