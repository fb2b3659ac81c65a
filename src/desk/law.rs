//! Places that an operator closes: for an emergency that a state declares, or a doubt about its law.

use chrono::{DateTime, Utc};

use super::{Actor, Desk, DeskError, audit};
use crate::{
    domain::{
        Refusal,
        dispatch::{Closed, Closure, Gate},
        legal,
        schedule::{LONGEST_PROMISE, TOO_FAR},
        text::clean,
    },
    store::{Lane, Setting},
};

/// The longest reason that is kept.
const LONGEST_REASON: usize = 200;

/// The closures as their setting has them.
///
/// # Errors
/// When it cannot be read: a gate that cannot be judged is closed.
pub(super) fn read(setting: Option<&str>) -> Result<Vec<Closure>, Closed> {
    match setting.filter(|s| !s.is_empty()) {
        None => Ok(Vec::new()),
        Some(json) => serde_json::from_str(json)
            .map_err(|_| Closed::new(Gate::PlaceClosed, "which places are closed cannot be read (setting law_closed): `dialdeck law open all` empties it")),
    }
}

impl Desk {
    /// The places that are closed, whether the moment has passed or not.
    pub async fn closures(&self) -> Result<Vec<Closure>, DeskError> {
        let setting = self.store.setting(Setting::LawClosed).await?;
        read(setting.as_deref()).map_err(|c| DeskError::Refused(c.into()))
    }

    /// Closes a place (`US-LA`, `DE`) until a moment or until it is opened: nobody there is called, on any host.
    ///
    /// # Errors
    /// When there is no such place, or the moment is none to wait for.
    pub async fn close_place(&self, actor: Actor, place: String, until: Option<DateTime<Utc>>, reason: String) -> Result<(), DeskError> {
        let now = self.now();
        let place = place.trim().to_ascii_uppercase();
        if !legal::is_place(&place) {
            return Err(Refusal::new("place", format!("\"{}\" is no place: write a country such as DE or a state such as US-LA", clean(&place, 20))).into());
        }
        if let Some(until) = until {
            if until <= now {
                return Err(Refusal::new("until", "that moment has passed").into());
            }
            if until - now > LONGEST_PROMISE {
                return Err(Refusal::new("until", format!("the moment {TOO_FAR}: leave it out and open the place again yourself")).into());
            }
        }
        let closure = Closure { place: place.clone(), until, reason: clean(&reason, LONGEST_REASON), by: clean(&actor.name, 64) };
        self.change_closures(actor, "law_closed", serde_json::json!(closure), move |all| {
            all.retain(|c| c.place != place && c.holds_at(now));
            all.push(closure);
            true
        })
        .await
        .map(drop)
    }

    /// Opens a place that was closed, or `all`; `false` when it was not.
    pub async fn open_place(&self, actor: Actor, place: String) -> Result<bool, DeskError> {
        let place = place.trim().to_ascii_uppercase();
        let details = serde_json::json!({ "place": place });
        self.change_closures(actor, "law_opened", details, move |all| {
            let before = all.len();
            all.retain(|c| c.place != place && place != "ALL");
            before != all.len() || place == "ALL"
        })
        .await
    }

    async fn change_closures(
        &self,
        actor: Actor,
        action: &'static str,
        details: serde_json::Value,
        change: impl FnOnce(&mut Vec<Closure>) -> bool + Send + 'static,
    ) -> Result<bool, DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    // What cannot be read is closed for everybody until somebody writes it anew.
                    let mut all = read(tx.setting(Setting::LawClosed).await?.as_deref()).unwrap_or_default();
                    let changed = change(&mut all);
                    if changed {
                        tx.put_setting(Setting::LawClosed, &serde_json::json!(all).to_string()).await?;
                        audit(tx, &actor, now, action, None, &details).await?;
                    }
                    Ok(changed)
                })
            })
            .await
    }
}
