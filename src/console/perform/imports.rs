//! Files that are read: of contacts, looked at before they are imported, and of numbers that must not be called.

use std::{path::PathBuf, time::Duration};

use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    super::message::{Counted, IntoList, Msg, Preview},
    Performer,
};
use crate::{
    desk::{Import, ListImport, Progress},
    domain::{csv::ContactFile, phone, text::clean, zone},
    store::ContactTable,
};

/// A file that is being counted.
pub(super) struct Counting {
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

/// How often a count is told while it goes on.
const SHOWN: Duration = Duration::from_millis(200);

impl Performer {
    /// A file of numbers that must not be called: whole, or nothing of it.
    pub(super) fn import_numbers(&self, path: PathBuf) {
        let (desk, actor) = (self.desk.clone(), self.actor());
        let region = self.region();
        self.spawn(async move {
            let file = match std::fs::File::open(&path) {
                Ok(file) => file,
                Err(e) => return Msg::Done { words: String::new(), result: Err(format!("cannot open {}: {e}", path.display())) },
            };
            match desk.import_do_not_call(actor, file, ListImport { region, ..ListImport::default() }).await {
                Ok(r) => Msg::Done { words: format!("do not call: {} numbers read, {} new, {} lines without one", r.read, r.added, r.invalid), result: Ok(()) },
                Err(e) => Msg::Done { words: String::new(), result: Err(e.to_string()) },
            }
        });
    }

    /// The first rows at once; behind them the whole file is counted, as its columns are taken.
    pub(super) fn preview(&self, path: PathBuf) {
        let (send, region, of) = (self.send.clone(), self.region.read().clone(), path.clone());
        self.runtime.spawn_blocking(move || {
            let preview = look(of, region.as_deref());
            send.tell(Msg::Preview(Box::new(preview)));
        });
        self.count(path, Vec::new(), None, 0);
    }

    /// Ends the count that goes on, if one does.
    pub(super) fn stop_counting(&self) -> Option<JoinHandle<()>> {
        self.counting.lock().take().map(|c| {
            c.cancel.cancel();
            c.task
        })
    }

    /// What an import would do, told while it is counted.
    pub(super) fn count(&self, path: PathBuf, mapping: Vec<(String, String)>, into: Option<IntoList>, turn: u64) {
        let before = self.stop_counting();
        let (desk, actor, send, cancel) = (self.desk.clone(), self.actor(), self.send.clone(), CancellationToken::new());
        let region = self.region();
        let stop = cancel.clone();
        let task = self.runtime.spawn(async move {
            // A file is not read twice at once.
            if let Some(before) = before {
                drop(before.await);
            }
            let tell = |percent, rows, done| send.tell(Msg::Counted(Box::new(Counted { path: path.clone(), turn, percent, rows, done })));
            // What cannot be opened is said by the preview.
            let Ok(file) = std::fs::File::open(&path) else { return };
            let size = file.metadata().map(|m| m.len()).ok();
            let import = Import { table: ContactTable::CsvFile, name: "counted".to_owned(), region, mapping, size, dry_run: true };
            let import = Import { table: into.as_ref().map_or(ContactTable::CsvFile, |l| l.table), ..import };
            let progress = watch::Sender::new(Progress::default());
            let mut shown = progress.subscribe();
            let mut counted = Box::pin(desk.count_import(actor, import, into.map(|l| l.id), file, progress, stop.clone()));
            let done = loop {
                tokio::select! {
                    done = &mut counted => break done,
                    () = tokio::time::sleep(SHOWN) => {
                        let p = *shown.borrow_and_update();
                        tell((p.bytes * 100).checked_div(p.size.unwrap_or(0)).unwrap_or(0).min(100), p.rows, None);
                    }
                }
            };
            if !stop.is_cancelled() {
                let rows = shown.borrow().rows;
                tell(100, rows, Some(done.map_err(|e| e.to_string())));
            }
        });
        *self.counting.lock() = Some(Counting { cancel, task });
    }

    pub(super) fn import(&self, path: PathBuf, mapping: Vec<(String, String)>, into: Option<IntoList>) {
        let (cancel, before) = (CancellationToken::new(), self.stop_counting());
        *self.import.lock() = cancel.clone();
        let (desk, actor, send) = (self.desk.clone(), self.actor(), self.send.clone());
        let region = self.region();
        self.runtime.spawn(async move {
            if let Some(before) = before {
                drop(before.await);
            }
            let file = match std::fs::File::open(&path) {
                Ok(file) => file,
                Err(e) => return send.tell(Msg::ImportDone(Err(format!("cannot open {}: {e}", path.display())))),
            };
            let size = file.metadata().map(|m| m.len()).ok();
            let name = path.file_name().map_or_else(|| "contacts.csv".to_owned(), |n| n.to_string_lossy().into_owned());
            let import = Import { table: ContactTable::CsvFile, name: name.clone(), region, mapping, size, dry_run: false };
            let progress = watch::Sender::new(Progress::default());
            let mut shown = progress.subscribe();
            let tellers = send.clone();
            let bar = tokio::spawn(async move {
                while shown.changed().await.is_ok() {
                    let p = *shown.borrow_and_update();
                    tellers.tell(Msg::ImportProgress { bytes: p.bytes, size: p.size.unwrap_or(0), rows: p.rows });
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
            let (what, done) = match into {
                Some(list) => {
                    let what = format!("\"{name}\" into \"{}\"", clean(&list.name, 80));
                    (what, desk.import_into(actor, list.id, import, file, progress, cancel).await)
                }
                None => (format!("\"{name}\""), desk.import(actor, import, file, progress, cancel).await.map(|(_, report)| report)),
            };
            bar.abort();
            send.tell(Msg::ImportDone(done.map(|report| (what, report)).map_err(|e| e.to_string())));
        });
    }
}

/// The first rows of a file and what its columns were taken for.
fn look(path: PathBuf, region: Option<&str>) -> Preview {
    let failed = |path: PathBuf, words: String| Preview { path, columns: Vec::new(), unclear: Vec::new(), rows: Vec::new(), error: Some(words) };
    let file = match std::fs::File::open(&path) {
        Ok(file) => file,
        Err(e) => return failed(path.clone(), format!("cannot open {}: {e}", path.display())),
    };
    let region = region.and_then(|r| phone::region(r).ok());
    let mut file = match ContactFile::look(file, &Vec::new(), region) {
        Ok(file) => file,
        Err(e) => return failed(path, e.to_string()),
    };
    let columns: Vec<_> = file.columns().map(|(h, f)| (h.to_owned(), f.map(crate::domain::csv::Field::name))).collect();
    let unclear = (0..columns.len()).filter(|i| file.is_unclear(*i)).collect();
    let rows = std::iter::from_fn(|| file.next_row().ok().flatten())
        .take(5)
        .map(|row| match row {
            crate::domain::csv::Row::Good(c) => vec![c.number.to_string(), c.name.clone(), c.company.clone(), zone::label(&c.zones)],
            crate::domain::csv::Row::Bad { line, reason, .. } => vec![format!("line {line}"), reason],
        })
        .collect();
    Preview { path, columns, unclear, rows, error: None }
}
