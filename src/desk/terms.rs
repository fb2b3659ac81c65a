//! The terms: an installation that rings real phones for the first time is told what it does, and a
//! person says yes by name, once.

use chrono::{DateTime, Utc};

use super::{Actor, Desk, DeskError, audit};
use crate::{
    domain::{
        Refusal,
        dispatch::{self, InstallationFacts},
        text::clean,
    },
    store::{Lane, Setting, Values},
};

/// What is agreed to.
pub const TERMS: &str = "dialdeck rings real people's phones. Who accepts says: we have the consent that the law of each place asks for, \
    we call only with numbers that are ours, the agent says at the start that it is an AI and for whom it calls, \
    and whoever asks not to be called is not called again.";

/// Who accepted, and when.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    pub name: String,
    pub at: DateTime<Utc>,
}

fn read(setting: &str) -> Option<Accepted> {
    serde_json::from_str(setting).ok()
}

impl Desk {
    /// Who accepted the terms, if anybody did.
    pub async fn terms(&self) -> Result<Option<Accepted>, DeskError> {
        Ok(self.store.setting(Setting::Terms).await?.and_then(|t| read(&t)))
    }

    /// Accepts the terms; a second time changes nothing.
    ///
    /// # Errors
    /// When no name is given.
    pub async fn accept_terms(&self, actor: Actor, name: String) -> Result<Accepted, DeskError> {
        let name = clean(name.trim(), 200);
        if name.is_empty() {
            return Err(DeskError::field("name", "who accepts? The name is kept with the time"));
        }
        if let Some(before) = self.terms().await? {
            return Ok(before);
        }
        let accepted = Accepted { name, at: self.now() };
        let kept = accepted.clone();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    tx.put_setting(Setting::Terms, &serde_json::json!(kept).to_string()).await?;
                    audit(tx, &actor, kept.at, "terms_accepted", None, &serde_json::json!(kept)).await
                })
            })
            .await?;
        Ok(accepted)
    }

    /// Real phones are behind `LiveKit`, and nobody has accepted the terms.
    pub(super) fn terms_missing(&self, values: &Values) -> bool {
        self.rules.real_phones && values.get(Setting::Terms).and_then(read).is_none()
    }

    /// Real phones ring only once the terms are accepted.
    ///
    /// # Errors
    /// When they are not: gate `terms`.
    pub async fn refuse_without_terms(&self) -> Result<(), DeskError> {
        let terms_missing = self.terms_missing(&self.store.settings(&[Setting::Terms]).await?);
        let facts = InstallationFacts { terms_missing, ..InstallationFacts::default() };
        dispatch::installation(&facts).map_err(|closed| Refusal::from(closed).into())
    }
}
