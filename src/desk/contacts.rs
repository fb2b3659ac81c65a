//! Import: a file becomes contacts, in slices, with a report; a cancelled import leaves no
//! contact behind.

use std::{collections::HashSet, io::Read};

use futures_util::StreamExt;
use rlibphonenumber::Region;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{Actor, Desk, DeskError, audit, dnc};
use crate::{
    domain::{
        contact::{ImportReport, NewContact},
        csv::{ContactFile, CsvError, Mapping, Row},
        id::SourceId,
        text::clean,
    },
    store::{ContactSlice, ContactTable, Lane},
};

/// What to import and as what.
#[derive(Debug, Clone)]
pub struct Import {
    pub table: ContactTable,
    /// The list's or file's name.
    pub name: String,
    pub region: Option<Region>,
    pub mapping: Mapping,
    /// Bytes of the file where known, for the progress bar.
    pub size: Option<u64>,
    /// Read and report, keep nothing.
    pub dry_run: bool,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    pub bytes: u64,
    pub size: Option<u64>,
    pub rows: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Csv(#[from] CsvError),
    #[error("the import was cancelled; nothing was kept")]
    Cancelled,
    #[error(transparent)]
    Desk(#[from] DeskError),
}

/// Rows of one write: callbacks and claims go between two of them.
const SLICE: usize = 500;

/// What the reading thread hands on.
struct Slice {
    good: Vec<NewContact>,
    bad: Vec<(u64, String)>,
    bytes: u64,
}

impl Desk {
    /// Imports a file. Bad rows and duplicates are reported by line and reason, good ones kept.
    ///
    /// # Errors
    /// When the file as a whole cannot be read, it was cancelled, or the database refuses.
    pub async fn import<R: Read + Send + 'static>(
        &self,
        actor: Actor,
        import: Import,
        read: R,
        progress: watch::Sender<Progress>,
        cancel: CancellationToken,
    ) -> Result<(SourceId, ImportReport), ImportError> {
        let id = SourceId::fresh();
        let (mapping, region) = (import.mapping.clone(), import.region);
        let (opened, slices) = read_slices(read, mapping, region, cancel.clone());
        opened.await.map_err(|_| ImportError::Cancelled)??;
        if !import.dry_run {
            self.open_source(&actor, &import, id).await?;
        }
        let result = self.take_slices(&actor, &import, id, slices, &progress, &cancel).await;
        match result {
            Ok(report) => Ok((id, report)),
            Err(e) => {
                self.discard(import.table, id).await?;
                Err(e)
            }
        }
    }

    async fn open_source(&self, actor: &Actor, import: &Import, id: SourceId) -> Result<(), DeskError> {
        let now = self.now();
        let (actor, table) = (actor.clone(), import.table);
        let name = clean(import.name.trim(), 255);
        let size = i64::try_from(import.size.unwrap_or(0)).unwrap_or(0);
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    match table {
                        ContactTable::ContactList => tx.insert_list(id, actor.owner, &name, "processing", now).await?,
                        ContactTable::CsvFile => tx.insert_csv_file(id, actor.owner, &name, size, now).await?,
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn take_slices(
        &self,
        actor: &Actor,
        import: &Import,
        id: SourceId,
        mut slices: mpsc::Receiver<Slice>,
        progress: &watch::Sender<Progress>,
        cancel: &CancellationToken,
    ) -> Result<ImportReport, ImportError> {
        let mut report = ImportReport::default();
        let mut seen = HashSet::new();
        // The next slices are made ready and wait at the writer while those before are being committed.
        let inserted = futures_util::stream::poll_fn(|cx| slices.poll_recv(cx)).map(|slice| self.insert_slice(actor, import, id, slice)).buffered(4);
        let mut inserted = std::pin::pin!(inserted);
        while let Some(slice) = inserted.next().await {
            let (slice, kept) = slice?;
            if cancel.is_cancelled() {
                return Err(ImportError::Cancelled);
            }
            for (line, reason) in slice.bad {
                report.invalid += 1;
                report.reject(line, reason);
            }
            for c in &slice.good {
                let kept = kept.as_ref().map_or_else(|| seen.insert(c.number.clone()), |k| k.contains(&c.line));
                tally(&mut report, c, kept);
            }
            progress.send_replace(Progress { bytes: slice.bytes, size: import.size, rows: report.imported + report.duplicate + report.invalid });
        }
        if cancel.is_cancelled() {
            return Err(ImportError::Cancelled);
        }
        if !import.dry_run {
            self.close_source(actor, import.table, id, report.clone()).await?;
        }
        Ok(report)
    }

    /// Writes a slice; answers it with the lines that were kept, or without when nothing is to be written.
    /// Who is marked "do not call" is on the list from then on, whatever becomes of the file.
    async fn insert_slice(&self, actor: &Actor, import: &Import, id: SourceId, slice: Slice) -> Result<(Slice, Option<HashSet<i64>>), DeskError> {
        if import.dry_run || slice.good.is_empty() {
            return Ok((slice, None));
        }
        let now = self.now();
        let rows = ContactSlice::new(import.table, id, &slice.good, now);
        let flagged: Vec<String> = slice.good.iter().filter(|c| c.do_not_call).map(|c| c.number.to_string()).collect();
        let kept = self.store.write(Lane::Bulk, move |tx| Box::pin(async move { tx.insert_contacts(rows).await })).await?;
        for numbers in flagged.chunks(dnc::CHUNK).map(<[String]>::to_vec) {
            let actor = actor.clone();
            self.store.write(Lane::Bulk, move |tx| Box::pin(async move { dnc::suppress_all(tx, &actor, &numbers, "import", now).await })).await?;
        }
        Ok((slice, Some(kept.into_iter().collect())))
    }

    /// The report, in the transaction that makes the source usable.
    async fn close_source(&self, actor: &Actor, table: ContactTable, id: SourceId, report: ImportReport) -> Result<(), DeskError> {
        let now = self.now();
        let actor = actor.clone();
        self.store
            .write(Lane::Bulk, move |tx| {
                Box::pin(async move {
                    tx.finish_source(table, id, &report, now).await?;
                    let details = serde_json::json!({ "imported": report.imported, "duplicate": report.duplicate, "invalid": report.invalid });
                    audit(tx, &actor, now, "contacts_imported", Some(id.0), &details).await
                })
            })
            .await
    }

    /// Removes what an import has written so far, in slices.
    async fn discard(&self, table: ContactTable, id: SourceId) -> Result<(), DeskError> {
        loop {
            let done = self.store.write(Lane::Bulk, move |tx| Box::pin(async move { tx.remove_source_slice(table, id, 5000).await })).await?;
            if done {
                return Ok(());
            }
        }
    }

    /// Removes imports whose process died: begun before `age` and never finished.
    pub async fn discard_unfinished(&self, age: chrono::Duration) -> Result<(), DeskError> {
        let before = self.now() - age;
        let left = self.store.write(Lane::Urgent, move |tx| Box::pin(async move { tx.unfinished_sources(before).await })).await?;
        for (table, id) in left {
            self.discard(table, id).await?;
        }
        Ok(())
    }
}

fn tally(report: &mut ImportReport, c: &NewContact, kept: bool) {
    if !kept {
        report.duplicate += 1;
        report.reject(u64::try_from(c.line).unwrap_or(0), format!("duplicate of {}", c.number));
        return;
    }
    report.imported += 1;
    if let Some(remark) = &c.remark {
        report.remark(u64::try_from(c.line).unwrap_or(0), remark.clone());
    }
    report.no_zone += u64::from(c.zones.is_empty());
    report.do_not_call += u64::from(c.do_not_call);
}

type Opened = tokio::sync::oneshot::Receiver<Result<(), CsvError>>;

/// Parses on a thread of its own: numbers are the costly part, and the writer is another core's.
fn read_slices<R: Read + Send + 'static>(read: R, mapping: Mapping, region: Option<Region>, cancel: CancellationToken) -> (Opened, mpsc::Receiver<Slice>) {
    let (opened, wait) = tokio::sync::oneshot::channel();
    let (slices, receive) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        let mut file = match ContactFile::open(read, &mapping, region) {
            Ok(file) => file,
            Err(e) => return drop(opened.send(Err(e))),
        };
        drop(opened.send(Ok(())));
        loop {
            let (mut good, mut bad) = (Vec::with_capacity(SLICE), Vec::new());
            while good.len() < SLICE && bad.len() < SLICE {
                match file.next_row() {
                    Some(Row::Good(c)) => good.push(*c),
                    Some(Row::Bad { line, reason }) => bad.push((line, reason)),
                    None => break,
                }
            }
            let empty = good.is_empty() && bad.is_empty();
            let slice = Slice { good, bad, bytes: file.position() };
            if empty || cancel.is_cancelled() || slices.blocking_send(slice).is_err() {
                return;
            }
        }
    });
    (wait, receive)
}
