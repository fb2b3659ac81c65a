//! What is kept safe and put right from the screen: a backup, a national list, a number that may be called again.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    outside::{Fault, Outside},
    rows::count,
};
use crate::{
    desk::{Actor, Desk, ListImport, National},
    domain::phone::{self, PhoneNumber},
};

/// A copy of the database while calls go on.
///
/// # Errors
/// In words: what is in the way, or what to use instead.
pub async fn back_up(world: Arc<dyn Outside>, path: PathBuf) -> Result<String, Fault> {
    let bytes = world.back_up(path.clone()).await?;
    let size = if bytes < 1 << 20 { format!("{} kB", bytes >> 10) } else { format!("{} MB", bytes >> 20) };
    Ok(format!("{} is a backup, {size}. It holds numbers and secrets: keep it where nobody else reads it", path.display()))
}

/// A number off the do-not-call list.
///
/// # Errors
/// When no reason is given, or the database refuses.
pub async fn allow(desk: &Desk, actor: Actor, number: PhoneNumber, reason: String) -> Result<String, Fault> {
    let shown = phone::spaced(number.as_str());
    let gone = desk.remove_do_not_call(actor, number, reason).await?;
    Ok(if gone { format!("{shown} is off the do-not-call list: it may be called again") } else { format!("{shown} was not on the do-not-call list") })
}

/// A country's national do-not-call list: numbers that nobody calls, and of which day they are.
///
/// # Errors
/// When the file cannot be read, or is no newer list.
pub async fn national(desk: &Desk, actor: Actor, path: PathBuf, day: Option<NaiveDate>, region: Option<String>) -> Result<String, Fault> {
    let file = File::open(&path).map_err(|e| format!("cannot open {}: {e}", path.display()))?;
    let as_of = day.and_then(|d| d.and_hms_opt(0, 0, 0)).map(|t| t.and_utc()).or_else(|| changed(&path));
    let as_of = as_of.ok_or_else(|| Fault::from("of which day is the list? :national FILE 2026-01-31 says it"))?;
    let region = region.as_deref().and_then(|r| phone::region(r).ok());
    let national = Some(National { country: None, as_of, smaller: false });
    let list = ListImport { region, national, ..ListImport::default() };
    let r = desk.import_do_not_call(actor, file, list).await?;
    let read = count(i64::try_from(r.read).unwrap_or(0), "number");
    let whose = r.country.map_or_else(String::new, |c| format!(" of {c}"));
    Ok(format!("national list{whose} of {}: {read} read, {} new, {} lines without one", as_of.date_naive(), r.added, r.invalid))
}

/// When the file was written.
fn changed(path: &Path) -> Option<DateTime<Utc>> {
    path.metadata().ok()?.modified().ok().map(DateTime::from)
}
