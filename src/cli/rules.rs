//! Verbs of what may be dialled at all: the do-not-call list and the terms.

use std::{
    fs::File,
    io::{IsTerminal, Seek},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{
    CliError,
    args::{DncCommand, TermsCommand},
    imports::mapping,
    out::{self, Counts},
    session::Session,
};
use crate::{
    desk::{DeskError, ListImport, National, TERMS},
    domain::{moment, phone::PhoneNumber, text::clean},
};

/// Rows read at once.
const PAGE: i64 = 5000;

pub async fn dnc(s: &Session, command: DncCommand) -> Result<(), CliError> {
    match command {
        DncCommand::Add { number, reason } => {
            let number = parsed(s, &number)?;
            let new = s.desk.add_do_not_call(s.actor.clone(), number.clone(), reason).await?;
            s.say(&format!("{number} {}", if new { "will not be called" } else { "was on the list already" }), &json!({ "number": number, "new": new }));
        }
        DncCommand::Remove { number, reason } => {
            let number = parsed(s, &number)?;
            let gone = s.desk.remove_do_not_call(s.actor.clone(), number.clone(), reason).await?;
            s.say(&format!("{number} {}", if gone { "may be called again" } else { "was not on the list" }), &json!({ "number": number, "removed": gone }));
        }
        DncCommand::List => return list(s).await,
        DncCommand::Import { file, region: code, map, national, country, as_of, accept_smaller } => {
            let list = ListImport { region: s.region(code.as_deref())?, mapping: mapping(&map, &[])?, national: None };
            let opened = open(&file).map_err(|e| CliError::Failed(format!("cannot read {}: {e}", file.display())))?;
            let national = if national { Some(National { country, as_of: day(as_of.as_deref(), &file, &opened)?, smaller: accept_smaller }) } else { None };
            let report = s.desk.import_do_not_call(s.actor.clone(), opened, ListImport { national, ..list }).await?;
            let head = report.header.as_ref().map_or_else(String::new, |h| format!("; \"{}\" was taken for the header", clean(h, 60)));
            s.say(&format!("{} numbers read, {} new, {} lines without a number{head}", report.read, report.added, report.invalid), &json!(report));
        }
        DncCommand::Export => return export(s).await,
    }
    Ok(())
}

/// The whole list: a number that is passed over here would be called.
async fn list(s: &Session) -> Result<(), CliError> {
    let (mut lines, mut rows) = (Vec::new(), Vec::new());
    for owner in s.owners() {
        let mut offset = 0;
        loop {
            let page = s.desk.store().do_not_call(*owner, PAGE, offset).await.map_err(DeskError::from)?;
            for r in &page.rows {
                lines.push(format!("{}{}  {}  {} {}", s.owner_column(*owner), r.number, r.created_at.date_naive(), r.source, clean(&r.reason, 500)));
                rows.push(
                    json!({ "owner": owner, "number": r.number, "reason": r.reason, "source": r.source, "createdBy": r.created_by, "createdAt": r.created_at }),
                );
            }
            offset += PAGE;
            if offset >= page.total {
                break;
            }
        }
    }
    lines.push(format!("{} numbers", rows.len()));
    s.list(&lines, &json!({ "doNotCall": rows, "total": rows.len() }));
    Ok(())
}

/// The file, or standard input kept where it can be read twice: without a name on the disk.
fn open(file: &Path) -> std::io::Result<File> {
    if file.as_os_str() != "-" {
        return File::open(file);
    }
    let path = std::env::temp_dir().join(format!("dialdeck-list-{}", uuid::Uuid::new_v4()));
    let mut kept = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    std::io::copy(&mut std::io::stdin(), &mut kept)?;
    kept.rewind()?;
    Ok(kept)
}

/// Of which day a national list is.
fn day(said: Option<&str>, path: &Path, file: &File) -> Result<DateTime<Utc>, CliError> {
    if let Some(text) = said {
        return moment(text).ok_or_else(|| CliError::Usage(format!("--as-of wants a day such as 2026-01-31, not \"{text}\"")));
    }
    let changed = file.metadata().and_then(|m| m.modified()).ok().filter(|_| path.as_os_str() != "-");
    changed.map(DateTime::from).ok_or_else(|| CliError::Usage("of which day is the national list? Say --as-of 2026-01-31".to_owned()))
}

fn parsed(s: &Session, number: &str) -> Result<PhoneNumber, CliError> {
    PhoneNumber::parse(number, s.region(None)?).map(|p| p.number).map_err(|e| CliError::Usage(format!("{number}: {e}")))
}

async fn export(s: &Session) -> Result<(), CliError> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let failed = |e: csv::Error| CliError::Failed(format!("cannot write the list: {e}"));
    out.write_record(["number", "created_at", "source", "reason", "created_by"]).map_err(failed)?;
    let mut offset = 0;
    let mut bar = None;
    loop {
        let page = s.desk.store().do_not_call(s.actor.owner, PAGE, offset).await.map_err(DeskError::from)?;
        for r in &page.rows {
            // A spreadsheet takes a cell that begins so for a formula.
            let plain = |t: &str| if t.starts_with(['=', '+', '-', '@']) { format!("'{}", clean(t, 500)) } else { clean(t, 500) };
            out.write_record([r.number.clone(), r.created_at.to_rfc3339(), r.source.clone(), plain(&r.reason), plain(&r.created_by)]).map_err(failed)?;
        }
        offset += PAGE;
        let bytes = std::mem::replace(&mut out, csv::Writer::from_writer(Vec::new())).into_inner().map_err(|e| CliError::Failed(e.to_string()))?;
        out::bytes(&bytes);
        if offset >= page.total || out::unread() {
            return Ok(());
        }
        if !std::io::stdout().is_terminal() {
            let total = u64::try_from(page.total).ok();
            bar.get_or_insert_with(|| out::bar(total, Counts::Rows)).set_position(u64::try_from(offset).unwrap_or(0));
        }
    }
}

pub async fn terms(s: &Session, command: TermsCommand) -> Result<(), CliError> {
    match command {
        TermsCommand::Show => {
            let accepted = s.desk.terms().await?;
            let who =
                accepted.as_ref().map_or_else(|| "not accepted yet".to_owned(), |a| format!("accepted by {} on {}", a.name, a.at.format("%Y-%m-%d %H:%M UTC")));
            s.say(&format!("{TERMS}\n{who}"), &json!({ "terms": TERMS, "accepted": accepted }));
        }
        TermsCommand::Accept { name } => {
            let accepted = s.desk.accept_terms(s.actor.clone(), name).await?;
            s.say(&format!("accepted by {} on {}", accepted.name, accepted.at.format("%Y-%m-%d %H:%M UTC")), &json!({ "accepted": accepted }));
        }
    }
    Ok(())
}
