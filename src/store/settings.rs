//! Settings of the installation: what must be one fact for every process on the database.

use std::{borrow::Cow, collections::HashMap};

use super::{
    Store, StoreError, Tx,
    pool::{on, on_tx, on_whole},
    sql::sql,
};
use crate::domain::id::{CampaignId, OwnerId};

/// Everything that is kept as a setting. A name that is none of these cannot be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Eight hex digits that mark our rooms.
    InstallationId,
    /// Who owns what the console makes.
    Owner,
    /// Signs the tokens of this installation, where none is configured.
    JwtSecret,
    /// The incarnation of the engine that may claim and arm.
    Leader,
    /// `on` while nothing may be armed.
    KillSwitch,
    /// Why we turned it on ourselves, in words.
    KillSwitchReason,
    /// When dialling was held last because the database had gone back in time: a name of that hold.
    WentBack,
    /// Who accepted the terms, and when.
    Terms,
    /// What keeps the engine from dialling, in words; empty when nothing does.
    EngineHealth,
    /// How long LiveKit took to answer last, in milliseconds.
    LiveKitTook,
    /// What keeps one campaign from dialling, in words.
    CampaignNote(CampaignId),
    /// `on` while all owners share one do-not-call list.
    SharedDoNotCall,
    /// Places that an operator has closed, as JSON.
    LawClosed,
    /// When somebody last looked whether the database can be written.
    Probe,
    /// When a copy of the whole database was made last.
    LastBackup,
    /// The number of the last dial that can be found by words.
    SearchedTo,
    /// Of when an owner's national do-not-call list of a country is.
    NationalList(OwnerId, [u8; 2]),
    /// How many lines it had.
    NationalSize(OwnerId, [u8; 2]),
}

impl Setting {
    /// How the keys of all campaigns' notes begin.
    pub const NOTES: &'static str = "campaign_note:";

    /// Kept of one owner, of a campaign, or for nobody's eyes: read as whoever asks. The others are one fact for all.
    fn is_somebodys(self) -> bool {
        matches!(self, Self::JwtSecret | Self::CampaignNote(_) | Self::NationalList(..) | Self::NationalSize(..))
    }

    /// The key of its row.
    #[must_use]
    pub fn key(self) -> Cow<'static, str> {
        match self {
            Self::InstallationId => "installation_id".into(),
            Self::Owner => "owner".into(),
            Self::JwtSecret => "jwt_secret".into(),
            Self::Leader => "leader".into(),
            Self::KillSwitch => "kill_switch".into(),
            Self::KillSwitchReason => "kill_switch_reason".into(),
            Self::WentBack => "went_back".into(),
            Self::Terms => "terms".into(),
            Self::EngineHealth => "engine_health".into(),
            Self::LiveKitTook => "livekit_took".into(),
            Self::SharedDoNotCall => "shared_do_not_call".into(),
            Self::LawClosed => "law_closed".into(),
            Self::Probe => "probe".into(),
            Self::LastBackup => "last_backup".into(),
            Self::SearchedTo => "searched_to".into(),
            Self::CampaignNote(id) => format!("{}{id}", Self::NOTES).into(),
            Self::NationalList(owner, country) => of_country("national_list", owner, country).into(),
            Self::NationalSize(owner, country) => of_country("national_size", owner, country).into(),
        }
    }
}

fn of_country(what: &str, owner: OwnerId, country: [u8; 2]) -> String {
    format!("{what}:{}:{}", owner.hex().to_lowercase(), String::from_utf8_lossy(&country))
}

/// The country whose list a profile asks for.
pub const LISTED: [u8; 2] = *b"US";

const GET: &str = "SELECT value FROM settings WHERE key = $1 AND value <> ''";

/// Values of several settings, as they were at one moment.
#[derive(Debug, Clone, Default)]
pub struct Values(HashMap<String, String>);

impl Values {
    /// A setting's value; an empty one is none, and so is one that was not asked for.
    #[must_use]
    pub fn get(&self, setting: Setting) -> Option<&str> {
        self.0.get(setting.key().as_ref()).map(String::as_str)
    }
}

impl Store {
    /// Several settings at once: what is one for all in one statement, what is somebody's in another.
    pub async fn settings(&self, which: &[Setting]) -> Result<Values, StoreError> {
        let sql = sql!(self.kind(), "SELECT key, value FROM settings WHERE key IN (#words($1)) AND value <> ''");
        let (somebodys, others): (Vec<Setting>, Vec<Setting>) = which.iter().partition(|s| s.is_somebodys());
        let mut values = Values::default();
        for (reach, keys) in [(self.every(), others), (self.pool(), somebodys)] {
            if !keys.is_empty() {
                let keys: Vec<_> = keys.into_iter().map(Setting::key).collect();
                let keys = serde_json::json!(keys).to_string();
                let rows: Vec<(String, String)> = on!(reach, |db| sqlx::query_as(sql).bind(&keys).fetch_all(db).await?);
                values.0.extend(rows);
            }
        }
        Ok(values)
    }

    /// A setting's value; an empty one is none.
    pub async fn setting(&self, setting: Setting) -> Result<Option<String>, StoreError> {
        let reach = if setting.is_somebodys() { self.pool() } else { self.every() };
        Ok(on!(reach, |db| sqlx::query_scalar(GET).bind(setting.key()).fetch_optional(db).await?))
    }

    /// Whether the kill switch is on.
    pub async fn kill_switch(&self) -> Result<bool, StoreError> {
        Ok(self.setting(Setting::KillSwitch).await?.is_some())
    }
}

impl Tx {
    /// Forgets what was noted of campaigns.
    pub async fn clear_notes(&mut self) -> Result<(), StoreError> {
        let sql = "DELETE FROM settings WHERE substr(key, 1, length($1)) = $1";
        on_whole!(self, |db| sqlx::query(sql).bind(Setting::NOTES).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// A setting's value; an empty one is none.
    pub async fn setting(&mut self, setting: Setting) -> Result<Option<String>, StoreError> {
        if setting.is_somebodys() {
            return Ok(on_tx!(self, |db| sqlx::query_scalar(GET).bind(setting.key()).fetch_optional(&mut *db).await?));
        }
        Ok(on_whole!(self, |db| sqlx::query_scalar(GET).bind(setting.key()).fetch_optional(&mut *db).await?))
    }

    /// Sets a setting, whatever it was.
    pub async fn put_setting(&mut self, setting: Setting, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        on_whole!(self, |db| sqlx::query(sql).bind(setting.key()).bind(value).execute(&mut *db).await?.rows_affected());
        Ok(())
    }

    /// The setting's value, set to `fresh` first where it is missing.
    pub async fn setting_or(&mut self, setting: Setting, fresh: &str) -> Result<String, StoreError> {
        let insert = "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
        on_whole!(self, |db| sqlx::query(insert).bind(setting.key()).bind(fresh).execute(&mut *db).await?.rows_affected());
        let select = "SELECT value FROM settings WHERE key = $1";
        Ok(on_whole!(self, |db| sqlx::query_scalar(select).bind(setting.key()).fetch_one(&mut *db).await?))
    }
}
