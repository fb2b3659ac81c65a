//! Files that are read: of contacts, looked at before they are imported, and of numbers that must not be called.

use std::path::PathBuf;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    super::message::{IntoList, Msg, Preview},
    Performer,
};
use crate::{
    desk::{Import, ListImport, Progress},
    domain::{csv::ContactFile, phone, text::clean, zone},
    store::ContactTable,
};

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

    pub(super) fn preview(&self, path: PathBuf) {
        let (send, region) = (self.send.clone(), self.region.read().clone());
        self.runtime.spawn_blocking(move || {
            let preview = look(path, region.as_deref());
            send.tell(Msg::Preview(Box::new(preview)));
        });
    }

    pub(super) fn import(&self, path: PathBuf, mapping: Vec<(String, String)>, into: Option<IntoList>) {
        let cancel = CancellationToken::new();
        *self.import.lock() = cancel.clone();
        let (desk, actor, send) = (self.desk.clone(), self.actor(), self.send.clone());
        let region = self.region();
        self.runtime.spawn(async move {
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
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
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
