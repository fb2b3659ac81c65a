//! Twilio's lists: of calls, the second evidence for one of which nobody knows whether it rang, and of recordings.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::twilio_rest::{Rest, escaped};
use crate::{
    config::Secret,
    domain::recording::{Maker, News, Stage},
};

/// Reads the lists of one account.
pub struct CallList {
    rest: Rest,
    /// Of Twilio's REST.
    api: String,
}

#[derive(Debug, Deserialize)]
struct Recordings {
    recordings: Vec<ListedRecording>,
}

#[derive(Debug, Deserialize)]
struct ListedRecording {
    sid: String,
    status: String,
    duration: Option<String>,
    uri: Option<String>,
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
        Ok(Self { rest: Rest::new(account, token)?, api: api_url.trim_end_matches('/').to_owned() })
    }

    /// Whether the account made no call to a number since a moment. Anything but a clear list is an error:
    /// no evidence is no proof.
    ///
    /// # Errors
    /// In words without the number or the login.
    pub async fn shows_no_call(&self, number: &str, since: DateTime<Utc>) -> Result<bool, String> {
        let page: Page = self.rest.get(&self.url(&format!("Calls.json?To={}&PageSize=50", escaped(number))), "list of calls").await?;
        let older = |c: &Listed| {
            let at = c.start_time.as_deref().or(c.date_created.as_deref());
            // A call without a time may be this one.
            at.and_then(|t| DateTime::parse_from_rfc2822(t).ok()).is_some_and(|t| t.to_utc() < since - MARGIN)
        };
        Ok(page.calls.iter().all(older))
    }

    /// The recordings that the account has of a call.
    ///
    /// # Errors
    /// In words without the login.
    pub async fn recordings(&self, call_sid: &str, at: DateTime<Utc>) -> Result<Vec<News>, String> {
        if !call_sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err("the call's id is none of Twilio's".to_owned());
        }
        let page: Recordings = self.rest.get(&self.url(&format!("Recordings.json?CallSid={call_sid}&PageSize=50")), "list of recordings").await?;
        let news = |r: ListedRecording| News {
            sid: r.sid,
            call: None,
            call_sid: Some(call_sid.to_owned()),
            maker: Maker::Twilio,
            stage: Stage::of_twilio(&r.status),
            url: r.uri.map(|u| format!("{}{}", self.api, u.trim_end_matches(".json"))),
            duration: r.duration.and_then(|d| d.parse().ok()),
            reason: String::new(),
            at,
        };
        Ok(page.recordings.into_iter().map(news).collect())
    }

    fn url(&self, what: &str) -> String {
        format!("{}/2010-04-01/Accounts/{}/{what}", self.api, self.rest.account)
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
