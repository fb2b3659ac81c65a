//! A command's open desk: who acts, and what names mean.

use std::{path::PathBuf, sync::Arc};

use serde_json::Value;

use super::{
    CliError,
    args::{Global, Owner},
    out::say,
};
use crate::{
    app,
    clock::{SharedClock, SystemClock},
    config::Config,
    desk::{Actor, Desk, DeskError, Installation},
    domain::{
        id::{AssistantId, CallId, OwnerId},
        phone,
        role::Role,
    },
    store::{CallRow, CampaignRow, SourceRow, Store},
};

/// A command's open desk and who acts.
pub struct Session {
    pub(super) config: Config,
    pub(super) desk: Desk,
    pub(super) actor: Actor,
    pub(super) json: bool,
    /// Whose rows are shown: the actor's, or everybody's.
    owners: Vec<OwnerId>,
    everybody: bool,
}

/// Rows read at once.
const PAGE: i64 = 500;

impl Session {
    pub async fn open(config: Config, global: &Global) -> Result<Self, CliError> {
        let clock: SharedClock = Arc::new(SystemClock::new());
        let opened = app::open_desk(&config, clock).await?;
        Self::over(opened, config, global).await
    }

    /// For a command that makes no database: what it is about would not be there.
    pub async fn open_there(config: Config, global: &Global) -> Result<Self, CliError> {
        let path = PathBuf::from(Store::path_of(&config.database_url));
        if !Store::is_server(&config.database_url) && !path.exists() {
            let running = app::unreached(&path, None).map_or_else(String::new, |words| format!(". But {words}"));
            return Err(CliError::Failed(format!("there is no database {}: nothing was changed, and none was made{running}", path.display())));
        }
        let clock: SharedClock = Arc::new(SystemClock::new());
        let opened = app::open_desk_there(&config, clock).await?;
        Self::over(opened, config, global).await
    }

    async fn over((desk, installation): (Desk, Installation), config: Config, global: &Global) -> Result<Self, CliError> {
        let actor = Actor { owner: installation.owner, name: app::operator(), source: "cli" };
        let everybody = global.owner == Some(Owner::All);
        let owners = if everybody { everyone(&desk, &config).await? } else { vec![actor.owner] };
        // An admin who asks for everybody's rows is shown them; anybody else's work is over their own.
        let desk = if everybody { desk } else { desk.of(actor.owner) };
        Ok(Self { config, desk, actor, json: global.json, owners, everybody })
    }

    pub(super) fn say(&self, words: &str, value: &Value) {
        if self.json { say!("{value}") } else { say!("{words}") }
    }

    /// Lines of a list, or the document of all of them.
    pub(super) fn list(&self, lines: &[String], value: &Value) {
        if self.json {
            return say!("{value}");
        }
        for line in lines {
            say!("{line}");
        }
    }

    /// Whose rows are shown.
    pub(super) fn owners(&self) -> &[OwnerId] {
        &self.owners
    }

    /// Whose a line of a list is, where it may be anybody's.
    pub(super) fn owner_column(&self, owner: OwnerId) -> String {
        if self.everybody { format!("{owner}  ") } else { String::new() }
    }

    /// Every campaign that is shown, newest first.
    pub(super) async fn campaigns(&self) -> Result<Vec<CampaignRow>, CliError> {
        let mut all = Vec::new();
        for owner in &self.owners {
            loop {
                let offset = all.iter().filter(|c: &&CampaignRow| c.user_id == *owner).count();
                let page = self.desk.store().campaigns(*owner, None, PAGE, i64::try_from(offset).unwrap_or(0)).await.map_err(DeskError::from)?;
                let last = page.rows.is_empty();
                all.extend(page.rows);
                if last {
                    break;
                }
            }
        }
        Ok(all)
    }

    pub(super) async fn campaign(&self, name: &str) -> Result<CampaignRow, CliError> {
        pick(self.campaigns().await?, name, "campaign", |c| (c.id.to_string(), c.name.clone()))
    }

    /// A call by its id.
    pub(super) async fn call(&self, id: CallId) -> Result<CallRow, CliError> {
        for owner in &self.owners {
            if let Some(row) = self.desk.store().call(*owner, id).await.map_err(DeskError::from)? {
                return Ok(row);
            }
        }
        Err(DeskError::NotFound("call").into())
    }

    pub(super) async fn assistant(&self, name: &str) -> Result<AssistantId, CliError> {
        let rows = self.desk.store().assistants(self.actor.owner).await.map_err(DeskError::from)?;
        Ok(pick(rows, name, "assistant", |a| (a.id.to_string(), a.name.clone()))?.id)
    }

    pub(super) async fn source(&self, name: &str) -> Result<SourceRow, CliError> {
        let rows = self.desk.store().sources(self.actor.owner).await.map_err(DeskError::from)?;
        pick(rows, name, "contact list or CSV file", |s| (s.id.to_string(), s.name.clone()))
    }

    /// The country of numbers written without +: the one given, else the configured one.
    pub(super) fn region(&self, given: Option<&str>) -> Result<Option<rlibphonenumber::Region>, CliError> {
        let code = given.or(self.config.region.as_deref());
        code.map(|c| phone::region(c).map_err(|e| CliError::Usage(format!("{c}: {e}")))).transpose()
    }
}

/// Every owner of the installation, for an admin.
async fn everyone(desk: &Desk, config: &Config) -> Result<Vec<OwnerId>, CliError> {
    if config.console_role < Role::Admin {
        return Err(CliError::Forbidden(format!("--as all is an admin's, and [auth] console_role is {}", config.console_role.as_str())));
    }
    Ok(desk.store().owner_ids().await.map_err(DeskError::from)?)
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
