//! A backup put back while the program may be running: what has happened since is forgotten but where
//! forgetting would make a phone ring wrongly, and nothing is dialled until an operator says go.

use chrono::Duration;

use super::{Actor, Desk, DeskError, audit, claim::end_unarmed};
use crate::{
    domain::{Refusal, call::State},
    store::{Lane, Setting, StoreError},
};

/// What an operator reads until then.
const HELD: &str = "a backup was put back: nothing is dialled, for it does not know of every call made since. `dialdeck stop-all --release` goes on";

/// So long a number that rang after the backup is not called by it: what came of that call is not known any more.
const REST: Duration = Duration::hours(24);

/// What a restore did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Restored {
    /// Calls that were made after the backup: their results are gone, their audit is not.
    pub calls_since: i64,
    /// Of those, how many the backup had waiting; they were taken off the queue.
    pub not_called_again: i64,
    /// Numbers that rang, and are left alone for a day after that.
    pub numbers_resting: usize,
    /// Numbers that were put on the do-not-call list after the backup, and stay on it.
    pub do_not_call_kept: i64,
}

impl Desk {
    /// A copy of the whole database was made.
    pub async fn note_backup(&self) -> Result<(), DeskError> {
        let now = self.now().to_rfc3339();
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok(tx.put_setting(Setting::LastBackup, &now).await?) })).await
    }

    /// Takes over the rows of a backup: a database file of this installation, up to date and at rest.
    ///
    /// # Errors
    /// While calls are on the line, or when the file is another installation's.
    pub async fn restore(&self, actor: Actor, backup: Backup) -> Result<Restored, DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let live = tx.count_live().await?;
                    if live > 0 {
                        let words =
                            format!("{live} calls are on the line, of which the backup knows nothing: `dialdeck stop-all --hang-up` ends them; then restore");
                        return Err(Refusal::new("live", words).into());
                    }
                    if tx.setting(Setting::InstallationId).await?.as_deref() != Some(&backup.installation) {
                        let words = "the backup is of another installation: it can be put where there is no database, so move this one away first";
                        return Err(Refusal::new("installation", words).into());
                    }
                    tx.attach_backup(&backup.path).await?;
                    let (calls_since, do_not_call_kept) = tx.gone_on_since().await?;
                    let rung = tx.rung_since().await?;
                    let rang = tx.numbers_rung_since().await?;
                    let resting: Vec<_> = rang.into_iter().map(|(number, at)| (number, at + REST)).filter(|(_, until)| *until > now).collect();
                    tx.take_rows_of_backup().await?;
                    tx.hold_numbers(&resting).await?;
                    let mut not_called_again = 0;
                    for id in rung {
                        if let Some(row) = tx.call(id).await?.filter(|r| !r.state.is_ended() && !r.state.is_open()) {
                            end_unarmed(tx, row, State::Canceled, "called after the backup that was put back; with what result is not known", now).await?;
                            not_called_again += 1;
                        }
                    }
                    tx.put_setting(Setting::KillSwitch, "on").await?;
                    tx.put_setting(Setting::KillSwitchReason, HELD).await?;
                    let restored = Restored { calls_since, not_called_again, numbers_resting: resting.len(), do_not_call_kept };
                    audit(tx, &actor, now, "database_restored", None, &serde_json::json!(restored)).await?;
                    Ok(restored)
                })
            })
            .await
    }
}

/// A copy of a backup that is ready to be read.
#[derive(Debug, Clone)]
pub struct Backup {
    pub path: String,
    /// Of which installation it is.
    pub installation: String,
}

impl Backup {
    /// # Errors
    /// When the database is none of ours, or its pages do not hold together.
    pub async fn of(store: &crate::store::Store) -> Result<Self, DeskError> {
        store.check_pages().await?;
        let installation = store.setting(Setting::InstallationId).await?;
        let installation = installation.ok_or_else(|| StoreError::Damaged("it is no backup of dialdeck".to_owned()))?;
        Ok(Self { path: store.path().to_owned(), installation })
    }
}
