//! Twilio's list of calls: the second evidence for a call of which nobody knows whether it rang.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::twilio_rest::{Rest, escaped};
use crate::config::Secret;

/// Reads the list of one account.
pub struct CallList {
    rest: Rest,
    url: String,
}

#[derive(Debug, Deserialize)]
struct Page {
    calls: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    start_time: Option<String>,
    date_created: Option<String>,
}

/// Clocks may differ, and Twilio's times are whole seconds.
const MARGIN: chrono::Duration = chrono::Duration::seconds(60);

impl CallList {
    /// # Errors
    /// In words, when no client can be made.
    pub fn new(api_url: &str, account: &str, token: &Secret) -> Result<Self, String> {
        Ok(Self { rest: Rest::new(account, token)?, url: format!("{}/2010-04-01/Accounts/{account}/Calls.json", api_url.trim_end_matches('/')) })
    }

    /// Whether the account made no call to a number since a moment. Anything but a clear list is an error:
    /// no evidence is no proof.
    ///
    /// # Errors
    /// In words without the number or the login.
    pub async fn shows_no_call(&self, number: &str, since: DateTime<Utc>) -> Result<bool, String> {
        let page: Page = self.rest.get(&format!("{}?To={}&PageSize=50", self.url, escaped(number)), "list of calls").await?;
        let older = |c: &Listed| {
            let at = c.start_time.as_deref().or(c.date_created.as_deref());
            // A call without a time may be this one.
            at.and_then(|t| DateTime::parse_from_rfc2822(t).ok()).is_some_and(|t| t.to_utc() < since - MARGIN)
        };
        Ok(page.calls.iter().all(older))
    }
}

/// Whether a trunk's calls stand in the account's list: only calls that go out by Twilio do.
#[must_use]
pub fn goes_by_twilio(trunk_address: &str) -> bool {
    trunk_address.split(':').next().is_some_and(|host| host.to_ascii_lowercase().ends_with(".pstn.twilio.com"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_twilios_own_trunks() {
        assert!(goes_by_twilio("acme.pstn.twilio.com") && goes_by_twilio("ACME.pstn.twilio.com:5061"));
        assert!(!goes_by_twilio("pstn.twilio.com.example.org") && !goes_by_twilio("trunk.example"));
    }
}
