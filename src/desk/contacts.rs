//! Import: a file becomes contacts, in slices, with a report. It is whole or nothing: what breaks off or is
//! cancelled leaves no contact behind, only those on the do-not-call list who were read by then.

use std::{collections::HashSet, io::Read};

use futures_util::StreamExt;
use rlibphonenumber::Region;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{
    Actor, Desk, DeskError, audit, dnc,
    importing::Place,
    merging::Over,
    roster::{LONGEST_NAME, name_complaint},
};
use crate::{
    domain::{
        contact::{ImportReport, NewContact},
        csv::{ContactFile, CsvError, Mapping, Row},
        id::SourceId,
        phone::PhoneNumber,
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
    /// It did not begin.
    #[error(transparent)]
    Csv(#[from] CsvError),
    #[error("{why}; nothing was kept of it{}", Listed(*listed))]
    Broken {
        why: CsvError,
        /// Numbers that are on the do-not-call list by it all the same.
        listed: u64,
    },
    #[error("the import was cancelled; nothing was kept{}", Listed(*.0))]
    Cancelled(u64),
    /// It is decided, but not all of it is in its list.
    #[error("the contacts are read, but not all of them are in the list yet ({0}): the rest follows at the next start")]
    Unfinished(DeskError),
    #[error("as many files are being imported as may be: wait for one to end")]
    Busy,
    #[error(transparent)]
    Desk(#[from] DeskError),
}

/// What of a broken import stays.
struct Listed(u64);

impl std::fmt::Display for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => Ok(()),
            1 => f.write_str(", but the 1 number marked \"do not call\" that was read is on the list"),
            n => write!(f, ", but the {n} numbers marked \"do not call\" that were read are on the list"),
        }
    }
}

/// Rows of one write: callbacks and claims go between two of them.
const SLICE: usize = ContactSlice::FULL;
/// Bytes of the file in one write: rows may be long.
const SLICE_BYTES: u64 = 512 << 10;

/// What the reading thread hands on.
#[derive(Default)]
struct Slice {
    good: Vec<NewContact>,
    bad: Vec<(u64, String)>,
    /// Who must not be called, whatever became of the row.
    listed: Vec<PhoneNumber>,
    bytes: u64,
}

/// What is known when the header is read.
struct Head {
    names: Vec<String>,
}

/// A file that is being read.
struct Reading {
    actor: Actor,
    import: Import,
    /// Where its contacts stand until all are there.
    id: SourceId,
    /// The list that they go into then.
    into: Option<SourceId>,
    /// Of the other columns.
    names: Vec<String>,
    /// That may be called; none: nobody knows.
    countries: Vec<String>,
}

/// What became of a slice.
struct Taken {
    slice: Slice,
    /// Lines that were kept, or would be; `None`: all.
    kept: Option<HashSet<i64>>,
    /// Numbers that it put on the do-not-call list.
    listed: u64,
    /// Numbers of it that were on one before.
    on_list: HashSet<String>,
}

impl Desk {
    /// What an import would do, into a list of its own or into another, by the same code; nothing is kept.
    ///
    /// # Errors
    /// As [`import`](Self::import).
    pub async fn count_import<R: Read + Send + 'static>(
        &self,
        actor: Actor,
        import: Import,
        into: Option<SourceId>,
        read: R,
        progress: watch::Sender<Progress>,
        cancel: CancellationToken,
    ) -> Result<ImportReport, ImportError> {
        self.read_in(actor, Import { dry_run: true, ..import }, into, read, progress, cancel).await.map(|(_, report)| report)
    }

    /// Imports a file. Bad rows and duplicates are reported by line and reason, good ones kept.
    ///
    /// # Errors
    /// When the file as a whole cannot be read, it was cancelled, or the database refuses: then no contact
    /// of it is kept.
    pub async fn import<R: Read + Send + 'static>(
        &self,
        actor: Actor,
        import: Import,
        read: R,
        progress: watch::Sender<Progress>,
        cancel: CancellationToken,
    ) -> Result<(SourceId, ImportReport), ImportError> {
        self.read_in(actor, import, None, read, progress, cancel).await
    }

    /// Into a list of its own, or by way of that into another.
    pub(super) async fn read_in<R: Read + Send + 'static>(
        &self,
        actor: Actor,
        import: Import,
        into: Option<SourceId>,
        read: R,
        progress: watch::Sender<Progress>,
        cancel: CancellationToken,
    ) -> Result<(SourceId, ImportReport), ImportError> {
        let id = SourceId::fresh();
        let import = Import { name: name_of(&import)?, ..import };
        let place = self.readers.enter(actor.owner).ok_or(ImportError::Busy)?;
        let (mapping, region) = (import.mapping.clone(), import.region);
        let (opened, slices) = read_slices(place, read, mapping, region, cancel.clone())?;
        let head = opened.await.map_err(|_| ImportError::Cancelled(0))??;
        let countries = self.callable_countries(actor.owner).await?;
        let file = Reading { into, names: head.names, actor, import, id, countries };
        if !file.import.dry_run {
            self.open_source(&file).await?;
        }
        let result = self.take_slices(&file, slices, &progress, &cancel).await;
        self.headcounts.forget();
        match result {
            Ok(report) => Ok((id, report)),
            Err(e) => {
                // What was decided goes over, now or at the next start.
                if !matches!(e, ImportError::Unfinished(_)) && !file.import.dry_run {
                    self.discard(file.import.table, id).await?;
                }
                Err(e)
            }
        }
    }

    async fn open_source(&self, file: &Reading) -> Result<(), DeskError> {
        let (now, id) = (self.now(), file.id);
        let (actor, table, name, names) = (file.actor.clone(), file.import.table, file.import.name.clone(), file.names.clone());
        let size = i64::try_from(file.import.size.unwrap_or(0)).unwrap_or(0);
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    match table {
                        ContactTable::ContactList => tx.insert_list(id, actor.owner, &name, "processing", now).await?,
                        ContactTable::CsvFile => tx.insert_csv_file(id, actor.owner, &name, size, now).await?,
                    }
                    Ok(tx.name_columns(table, id, &names).await?)
                })
            })
            .await
    }

    async fn take_slices(
        &self,
        file: &Reading,
        mut slices: mpsc::Receiver<Result<Slice, CsvError>>,
        progress: &watch::Sender<Progress>,
        cancel: &CancellationToken,
    ) -> Result<ImportReport, ImportError> {
        let mut report = ImportReport::default();
        let mut seen = HashSet::new();
        // The next slices are made ready and wait at the writer while those before are being committed.
        let inserted = futures_util::stream::poll_fn(|cx| slices.poll_recv(cx)).map(|slice| async {
            match slice {
                Ok(slice) => Ok(Ok(self.insert_slice(file, slice).await?)),
                Err(e) => Ok::<_, DeskError>(Err(e)),
            }
        });
        let mut inserted = std::pin::pin!(inserted.buffered(4));
        while let Some(slice) = inserted.next().await {
            let Taken { slice, kept, listed, on_list } = match slice? {
                Ok(taken) => taken,
                Err(why) => return Err(ImportError::Broken { why, listed: report.listed }),
            };
            report.listed += listed;
            for (line, reason) in slice.bad {
                report.invalid += 1;
                report.reject(line, reason);
            }
            for c in &slice.good {
                let kept = kept.as_ref().is_none_or(|k| k.contains(&c.line)) && (!file.import.dry_run || seen.insert(c.number.clone()));
                tally(&mut report, c, kept);
                report.on_list += u64::from(kept && !c.do_not_call && on_list.contains(c.number.as_str()));
                if kept && !file.countries.is_empty() && !file.countries.contains(&c.country) {
                    *report.abroad.entry(c.country.clone()).or_default() += 1;
                }
            }
            progress.send_replace(Progress { bytes: slice.bytes, size: file.import.size, rows: report.imported + report.duplicate + report.invalid });
        }
        if cancel.is_cancelled() {
            return Err(ImportError::Cancelled(report.listed));
        }
        match file.into {
            _ if file.import.dry_run => {}
            None => self.close_source(&file.actor, file.import.table, file.id, report.clone()).await?,
            Some(into) => {
                let over = Over { owner: file.actor.owner, table: file.import.table, from: file.id, into };
                self.decide_import(&file.actor, over, &report).await?;
                self.let_over(over).await.map_err(ImportError::Unfinished)?;
            }
        }
        Ok(report)
    }

    /// Writes a slice; answers it with the lines that were kept, or without when nothing is to be written,
    /// and how many numbers it put on the do-not-call list. Those first: who is marked so is on the list
    /// from then on, whatever becomes of the file.
    async fn insert_slice(&self, file: &Reading, mut slice: Slice) -> Result<Taken, DeskError> {
        let mut listed = 0;
        let numbers: Vec<&str> = slice.good.iter().map(|c| c.number.as_str()).collect();
        let on_list: HashSet<String> = self.store.listed_of(file.actor.owner, &numbers).await?.into_iter().collect();
        if file.import.dry_run {
            let kept = match file.into {
                None => None,
                Some(list) => {
                    let known = self.known(file.import.table, list, &slice.good).await?;
                    Some(slice.good.iter().filter(|c| !known.contains(c.number.as_str())).map(|c| c.line).collect())
                }
            };
            return Ok(Taken { slice, kept, listed, on_list });
        }
        let now = self.now();
        let flagged: Vec<String> = std::mem::take(&mut slice.listed).iter().map(PhoneNumber::to_string).collect();
        for numbers in flagged.chunks(dnc::CHUNK).map(<[String]>::to_vec) {
            let actor = file.actor.clone();
            let store = self.silencing().await?;
            listed += store.write(Lane::Bulk, move |tx| Box::pin(async move { dnc::suppress_all(tx, &actor, &numbers, "import", now).await })).await?;
        }
        if slice.good.is_empty() {
            return Ok(Taken { slice, kept: None, listed, on_list });
        }
        let rows = match file.into {
            None => self.store.contact_slice(file.import.table, file.id, &slice.good, now),
            Some(list) => {
                let known = self.known(file.import.table, list, &slice.good).await?;
                let new: Vec<NewContact> = slice.good.iter().filter(|c| !known.contains(c.number.as_str())).cloned().collect();
                if new.is_empty() {
                    return Ok(Taken { slice, kept: Some(HashSet::new()), listed, on_list });
                }
                self.store.named_slice(file.import.table, file.id, &new, &file.names, now)
            }
        };
        let kept = self.store.write(Lane::Bulk, move |tx| Box::pin(async move { tx.insert_contacts(rows).await })).await?;
        Ok(Taken { slice, kept: Some(kept.into_iter().collect()), listed, on_list })
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

    /// Removes imports and deleted lists whose process died: begun before `age` and never finished. What was to go into
    /// another list goes there.
    pub async fn discard_unfinished(&self, age: chrono::Duration) -> Result<(), DeskError> {
        let before = self.now() - age;
        let left = self.store.write(Lane::Urgent, move |tx| Box::pin(async move { tx.unfinished_sources(before).await })).await?;
        for (table, id) in left {
            self.discard(table, id).await?;
        }
        let decided = self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok::<_, DeskError>(tx.decided_imports().await?) })).await?;
        for left in decided {
            if let Some(into) = left.into_list() {
                self.let_over(Over { owner: left.user_id, table: left.source, from: left.id, into }).await?;
            }
        }
        Ok(())
    }
}

/// The name a source is kept by: a file's own is cut to size, a list's is somebody's to mend.
fn name_of(import: &Import) -> Result<String, DeskError> {
    let name = clean(import.name.trim(), LONGEST_NAME - 1);
    match (import.table, name_complaint(&import.name)) {
        (ContactTable::ContactList, Some(wrong)) => Err(DeskError::Invalid(vec![wrong])),
        (ContactTable::CsvFile, _) if name.trim().is_empty() => Ok("upload.csv".to_owned()),
        (ContactTable::CsvFile, _) => Ok(name),
        (ContactTable::ContactList, None) => Ok(clean(import.name.trim(), LONGEST_NAME)),
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

type Opened = tokio::sync::oneshot::Receiver<Result<Head, CsvError>>;
type Slices = mpsc::Receiver<Result<Slice, CsvError>>;

/// Parses on a thread of its own: numbers are the costly part, and the writer is another core's.
fn read_slices<R: Read + Send + 'static>(
    place: Place,
    read: R,
    mapping: Mapping,
    region: Option<Region>,
    cancel: CancellationToken,
) -> Result<(Opened, Slices), CsvError> {
    let (opened, wait) = tokio::sync::oneshot::channel();
    let (slices, receive) = mpsc::channel(4);
    let work = move |_place| {
        let mut file = match ContactFile::open(read, &mapping, region) {
            Ok(file) => file,
            Err(e) => return drop(opened.send(Err(e))),
        };
        drop(opened.send(Ok(Head { names: file.names() })));
        loop {
            let (slice, ended) = next_slice(&mut file, &cancel);
            let empty = slice.good.is_empty() && slice.bad.is_empty();
            if !empty && slices.blocking_send(Ok(slice)).is_err() {
                return;
            }
            match ended {
                Ok(true) => return,
                Ok(false) => {}
                // Nobody listens any more only when the import has failed already.
                Err(e) => return drop(slices.blocking_send(Err(e))),
            }
        }
    };
    place.read(work)?;
    Ok((wait, receive))
}

/// The next rows, and whether they are the last. What was read before the file broke off is a slice too.
fn next_slice<R: Read>(file: &mut ContactFile<R>, cancel: &CancellationToken) -> (Slice, Result<bool, CsvError>) {
    let mut slice = Slice { good: Vec::with_capacity(SLICE), ..Slice::default() };
    let from = file.position();
    let mut ended = Ok(false);
    while slice.good.len() < SLICE && slice.bad.len() < SLICE && file.position() - from < SLICE_BYTES {
        match file.next_row() {
            Ok(Some(Row::Good(c))) => {
                if c.do_not_call {
                    slice.listed.push(c.number.clone());
                    slice.listed.extend(c.alternatives.iter().cloned());
                }
                slice.good.push(*c);
            }
            Ok(Some(Row::Bad { line, reason, listed })) => {
                slice.listed.extend(listed);
                slice.bad.push((line, reason));
            }
            Ok(None) => ended = Ok(true),
            Err(e) => ended = Err(e),
        }
        if cancel.is_cancelled() && ended.is_ok() {
            ended = Ok(true);
        }
        if !matches!(ended, Ok(false)) {
            break;
        }
    }
    slice.bytes = file.position();
    (slice, ended)
}
