//! `campaign export`: every call of a campaign, to a file or to standard output.

use std::{
    fs::File,
    io::{IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    CliError,
    args::Format,
    out::{self, Counts},
    session::Session,
};
use crate::app::{ExportError, ExportFormat, export as write_all};

pub async fn export(s: &Session, campaign: &str, format: Format, output: Option<PathBuf>, raw: bool) -> Result<(), CliError> {
    if s.json && output.is_none() {
        return Err(CliError::Usage("--json goes with --output FILE here: the export itself is what standard output is for".to_owned()));
    }
    if format == Format::Xlsx && output.is_none() && std::io::stdout().is_terminal() {
        return Err(CliError::Usage("a spreadsheet is nothing to read on a terminal: say --output FILE".to_owned()));
    }
    let row = s.campaign(campaign).await?;
    let to = match &output {
        Some(path) => Box::new(create(path)?) as Box<dyn Write + Send>,
        None => Box::new(std::io::stdout()),
    };
    let format = match format {
        Format::Csv => ExportFormat::Csv { raw },
        Format::Jsonl => ExportFormat::Jsonl,
        Format::Xlsx => ExportFormat::Xlsx,
    };
    // Not between the lines of an export that somebody reads on the screen.
    let shown = output.is_some() || !std::io::stdout().is_terminal();
    let bar = if shown { out::bar(u64::try_from(row.counts.total).ok(), Counts::Rows) } else { indicatif::ProgressBar::hidden() };
    let written = write_all(&s.desk, &row, format, to, |n| bar.set_position(n)).await;
    bar.finish_and_clear();
    let broken = |why: String| {
        // Half an export is not taken for a whole one.
        drop(output.as_ref().map(std::fs::remove_file));
        CliError::Failed(format!("the export broke off: {why}"))
    };
    match (written, &output) {
        (Ok(calls), Some(path)) => {
            s.say(&format!("{calls} calls are in {}", path.display()), &json!({ "file": path, "calls": calls }));
            Ok(())
        }
        (Ok(_), None) => Ok(()),
        // Whoever reads may have seen enough: `| head`.
        (Err(ExportError::Io(e)), None) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        (Err(e), _) => Err(broken(e.to_string())),
    }
}

/// A new file, its owner's alone: it holds numbers.
fn create(path: &Path) -> Result<File, CliError> {
    let made = File::options().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => CliError::Failed(format!("{} is there already: name a new file, or remove it first", path.display())),
        _ => CliError::Failed(format!("cannot write {}: {e}", path.display())),
    })
}
