//! Contacts from a file, with a bar while they are read and a report.

use std::{
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    CliError,
    out::{self, Counts, say, tell},
    session::Session,
};
use crate::{
    desk::{Import, Progress},
    domain::{
        contact::ImportReport,
        csv::{self, Mapping},
    },
    store::ContactTable,
};

/// A cancelled import that waits for standard input is left so soon.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is to be read, and how.
pub struct Asked {
    pub file: PathBuf,
    pub list: Option<String>,
    pub region: Option<String>,
    pub mapping: Mapping,
    pub dry_run: bool,
    pub rejects: Option<PathBuf>,
}

/// Columns by hand, as `--map` and `--ignore-column` have them.
pub fn mapping(map: &[String], ignored: &[String]) -> Result<Mapping, CliError> {
    let mut all = Mapping::new();
    for text in map {
        all.extend(csv::mapping(text).map_err(|e| CliError::Usage(format!("--map {e}")))?);
    }
    all.extend(ignored.iter().map(|c| (csv::IGNORE.to_owned(), c.clone())));
    Ok(all)
}

pub async fn import(s: &Session, asked: Asked) -> Result<(), CliError> {
    let Asked { file, list, region, mapping, dry_run, rejects } = asked;
    let stdin = file.as_os_str() == "-";
    let name = list.clone().unwrap_or_else(|| file.file_name().map_or_else(|| "stdin.csv".to_owned(), |n| n.to_string_lossy().into_owned()));
    let size = if stdin { None } else { std::fs::metadata(&file).ok().map(|m| m.len()) };
    let table = if list.is_some() { ContactTable::ContactList } else { ContactTable::CsvFile };
    let import = Import { table, name, region: s.region(region.as_deref())?, mapping, size, dry_run };
    let read: Box<dyn std::io::Read + Send> = if stdin {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(&file).map_err(|e| CliError::Failed(format!("cannot open {}: {e}", file.display())))?)
    };
    let progress = watch::Sender::new(Progress::default());
    let shown = tokio::spawn(show_progress(progress.subscribe(), size));
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    // Ctrl-C cancels the import, which then leaves nothing behind.
    let given_up = async move {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        stop.cancel();
        tokio::time::sleep(PATIENCE).await;
    };
    let done = tokio::select! {
        done = s.desk.import(s.actor.clone(), import, read, progress, cancel) => done,
        () = given_up => return Err(CliError::Failed("the import was cancelled: no list was made".to_owned())),
    };
    drop(shown.await);
    let (id, report) = done?;
    if let Some(path) = rejects {
        write_rejects(&path, &report)?;
    }
    print_report(s, &id.to_string(), &report, dry_run);
    Ok(())
}

async fn show_progress(mut progress: watch::Receiver<Progress>, size: Option<u64>) {
    let bar = out::bar(size, Counts::Bytes);
    while progress.changed().await.is_ok() {
        let p = *progress.borrow();
        bar.set_position(p.bytes);
        bar.set_message(format!("{} rows", p.rows));
    }
    bar.finish_and_clear();
}

fn write_rejects(path: &Path, report: &ImportReport) -> Result<(), CliError> {
    let fail = |e: String| CliError::Failed(format!("cannot write {}: {e}", path.display()));
    // The owner's alone: reasons quote numbers.
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).map_err(|e| fail(e.to_string()))?;
    let mut out = ::csv::Writer::from_writer(file);
    out.write_record(["line", "reason"]).map_err(|e| fail(e.to_string()))?;
    for r in &report.rejects {
        out.write_record([r.line.to_string(), r.reason.clone()]).map_err(|e| fail(e.to_string()))?;
    }
    out.flush().map_err(|e| fail(e.to_string()))
}

fn print_report(s: &Session, id: &str, r: &ImportReport, dry_run: bool) {
    if s.json {
        return say!("{}", json!({ "id": id, "dryRun": dry_run, "report": r }));
    }
    let would = if dry_run { "would be " } else { "" };
    say!("{} {would}imported, {} duplicate, {} invalid, {} do-not-call, {} without a time zone", r.imported, r.duplicate, r.invalid, r.do_not_call, r.no_zone);
    if r.on_list > 0 {
        say!("{} of them on the do-not-call list already", r.on_list);
    }
    if let Some(words) = r.abroad_words() {
        say!("{words}");
    }
    for remark in r.remarks.iter().take(20) {
        tell!("  line {}: kept, but {}", remark.line, remark.reason);
    }
    if r.remarked > 20 {
        tell!("  and {} more that were kept", r.remarked - 20);
    }
    if r.listed > 0 {
        say!("{} numbers are new on the do-not-call list", r.listed);
    }
    for reject in r.rejects.iter().take(20) {
        tell!("  line {}: {}", reject.line, reject.reason);
    }
    if r.rejects.len() > 20 {
        tell!("  and {} more; --rejects FILE writes them all", r.rejects.len() - 20);
    }
    if !dry_run {
        say!("{id}");
    }
}
