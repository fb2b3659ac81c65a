//! A command's open desk: who acts, and what names mean.

use std::{path::PathBuf, sync::Arc};

use serde_json::Value;

use super::CliError;
use crate::{
    app,
    clock::{SharedClock, SystemClock},
    config::Config,
    desk::{Actor, Desk, Installation},
    domain::{id::AssistantId, phone},
    store::{CampaignRow, SourceRow, Store},
};

/// A command's open desk and who acts.
pub struct Session {
    pub(super) config: Config,
    pub(super) desk: Desk,
    pub(super) actor: Actor,
    pub(super) json: bool,
}

impl Session {
    pub async fn open(config: Config, json: bool) -> Result<Self, CliError> {
        let clock: SharedClock = Arc::new(SystemClock::new());
        Ok(Self::over(app::open_desk(&config, clock).await?, config, json))
    }

    /// For a command that makes no database: what it is about would not be there.
    pub async fn open_there(config: Config, json: bool) -> Result<Self, CliError> {
        let path = PathBuf::from(Store::path_of(&config.database_url));
        if !path.exists() {
            let running = app::unreached(&path, None).map_or_else(String::new, |words| format!(". But {words}"));
            return Err(CliError::Failed(format!("there is no database {}: nothing was changed, and none was made{running}", path.display())));
        }
        let clock: SharedClock = Arc::new(SystemClock::new());
        Ok(Self::over(app::open_desk_there(&config, clock).await?, config, json))
    }

    fn over((desk, installation): (Desk, Installation), config: Config, json: bool) -> Self {
        let actor = Actor { owner: installation.owner, name: app::operator(), source: "cli" };
        Self { config, desk, actor, json }
    }

    pub(super) fn say(&self, words: &str, value: &Value) {
        if self.json { println!("{value}") } else { println!("{words}") }
    }

    pub(super) async fn campaign(&self, name: &str) -> Result<CampaignRow, CliError> {
        let page = self.desk.store().campaigns(self.actor.owner, None, 500, 0).await.map_err(crate::desk::DeskError::from)?;
        pick(page.rows, name, "campaign", |c| (c.id.to_string(), c.name.clone()))
    }

    pub(super) async fn assistant(&self, name: &str) -> Result<AssistantId, CliError> {
        let rows = self.desk.store().assistants(self.actor.owner).await.map_err(crate::desk::DeskError::from)?;
        Ok(pick(rows, name, "assistant", |a| (a.id.to_string(), a.name.clone()))?.id)
    }

    pub(super) async fn source(&self, name: &str) -> Result<SourceRow, CliError> {
        let rows = self.desk.store().sources(self.actor.owner).await.map_err(crate::desk::DeskError::from)?;
        pick(rows, name, "contact list or CSV file", |s| (s.id.to_string(), s.name.clone()))
    }

    /// The country of numbers written without +: the one given, else the configured one.
    pub(super) fn region(&self, given: Option<&str>) -> Result<Option<rlibphonenumber::Region>, CliError> {
        let code = given.or(self.config.region.as_deref());
        code.map(|c| phone::region(c).map_err(|e| CliError::Usage(format!("{c}: {e}")))).transpose()
    }
}

/// One of the rows by id or name; an ambiguous name is refused with the candidates.
fn pick<T>(rows: Vec<T>, wanted: &str, what: &str, key: impl Fn(&T) -> (String, String)) -> Result<T, CliError> {
    let mut found: Vec<T> = rows
        .into_iter()
        .filter(|r| {
            let (id, name) = key(r);
            id == wanted || name.eq_ignore_ascii_case(wanted)
        })
        .collect();
    match found.len() {
        1 => Ok(found.swap_remove(0)),
        0 => Err(CliError::Failed(format!("no {what} is called \"{wanted}\""))),
        _ => {
            let ids: Vec<String> = found.iter().map(|r| key(r).0).collect();
            Err(CliError::Usage(format!("\"{wanted}\" names more than one {what}: {}", ids.join(", "))))
        }
    }
}
