//! An import into a list that is there. The file is read to its end beside the list, where nobody calls from it; then
//! it is decided, in one transaction, and its contacts go over in slices. What breaks off before that leaves nothing
//! behind; what breaks off after it is finished at the next start.

use std::{collections::HashSet, io::Read};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    Actor, Desk, DeskError, audit,
    contacts::{Import, ImportError, Progress},
};
use crate::{
    domain::{
        contact::{ImportReport, NewContact},
        id::{OwnerId, SourceId},
    },
    store::{ContactTable, Lane},
};

/// Contacts that go over in one transaction: callbacks and claims go between two of them.
const SLICE: i64 = 500;

/// Whose contacts go where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Over {
    pub owner: OwnerId,
    pub table: ContactTable,
    pub from: SourceId,
    pub into: SourceId,
}

impl Desk {
    /// Imports a file into a list or file of before: who is in it already stays as they are. Campaigns over it call the
    /// new ones as well.
    ///
    /// # Errors
    /// As [`import`](Self::import); when there is no such list.
    pub async fn import_into<R: Read + Send + 'static>(
        &self,
        actor: Actor,
        into: SourceId,
        import: Import,
        read: R,
        progress: watch::Sender<Progress>,
        cancel: CancellationToken,
    ) -> Result<ImportReport, ImportError> {
        let list = self.store.source(actor.owner, into).await.map_err(DeskError::from)?;
        let list = list.filter(|l| l.status == "completed").ok_or(DeskError::NotFound("contact list"))?;
        let import = Import { table: list.source, ..import };
        self.read_in(actor, import, Some(into), read, progress, cancel).await.map(|(_, report)| report)
    }

    /// Who of these the list has already, by their numbers.
    pub(super) async fn known(&self, table: ContactTable, list: SourceId, contacts: &[NewContact]) -> Result<HashSet<String>, DeskError> {
        let numbers: Vec<&str> = contacts.iter().map(|c| c.number.as_str()).collect();
        Ok(self.store.numbers_of(table, list, &numbers).await?.into_iter().collect())
    }

    /// From here on the import happens, whatever breaks off.
    pub(super) async fn decide_import(&self, actor: &Actor, over: Over, report: &ImportReport) -> Result<(), DeskError> {
        let now = self.now();
        let (actor, report) = (actor.clone(), report.clone());
        self.store
            .write(Lane::Bulk, move |tx| {
                Box::pin(async move {
                    if !tx.has_source(over.owner, over.table, over.into).await? {
                        return Err(DeskError::NotFound("contact list"));
                    }
                    tx.send_over(over.table, over.from, over.into, now).await?;
                    let details = serde_json::json!({ "imported": report.imported, "duplicate": report.duplicate, "invalid": report.invalid });
                    audit(tx, &actor, now, "contacts_imported", Some(over.into.0), &details).await
                })
            })
            .await
    }

    /// Lets them all go over, and takes the place away where they stood. Done twice it does no more than once.
    pub(super) async fn let_over(&self, over: Over) -> Result<(), DeskError> {
        loop {
            let now = self.now();
            let goes_on = self
                .store
                .write(Lane::Bulk, move |tx| {
                    Box::pin(async move {
                        // Nobody is added to what was deleted meanwhile.
                        if !tx.has_source(over.owner, over.table, over.into).await? {
                            return Ok::<_, DeskError>(false);
                        }
                        let last = tx.last_position(over.table, over.into).await?;
                        let Some(moved) = tx.move_contacts(over.table, over.from, over.into, last, SLICE).await? else { return Ok(false) };
                        tx.move_counts(over.table, over.into, moved.contacts, moved.do_not_call, now).await?;
                        tx.fill_again(over.into, last).await?;
                        Ok(true)
                    })
                })
                .await?;
            if !goes_on {
                return self.discard(over.table, over.from).await;
            }
        }
    }
}
