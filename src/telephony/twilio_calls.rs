//! Twilio's lists: of calls, the second evidence for one of which nobody knows whether it rang, and of recordings.

use std::time::Duration;

use base64::Engine;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::livekit::tls;
use crate::{
    config::Secret,
    domain::recording::{Maker, News, Stage},
};

/// Reads the lists of one account.
pub struct CallList {
    client: reqwest::Client,
    /// Of Twilio's REST, and the account's path in it.
    api: String,
    account: String,
    login: String,
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
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls().map_err(|e| e.to_string())?)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(15))
            .no_proxy()
            .build()
            .map_err(|e| e.without_url().to_string())?;
        let login = base64::engine::general_purpose::STANDARD.encode(format!("{account}:{}", token.reveal()));
        Ok(Self { client, api: api_url.trim_end_matches('/').to_owned(), account: format!("/2010-04-01/Accounts/{account}"), login })
    }

    /// Whether the account made no call to a number since a moment. Anything but a clear list is an error:
    /// no evidence is no proof.
    ///
    /// # Errors
    /// In words without the number or the login.
    pub async fn shows_no_call(&self, number: &str, since: DateTime<Utc>) -> Result<bool, String> {
        let to: String = number.bytes().map(|b| if b.is_ascii_digit() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect();
        let page: Page = self.get(&format!("Calls.json?To={to}&PageSize=50")).await?;
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
        let page: Recordings = self.get(&format!("Recordings.json?CallSid={call_sid}&PageSize=50")).await?;
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

    async fn get<T: serde::de::DeserializeOwned>(&self, what: &str) -> Result<T, String> {
        let sent = self.client.get(format!("{}{}/{what}", self.api, self.account)).header("authorization", format!("Basic {}", self.login)).send().await;
        let response = sent.map_err(|e| e.without_url().to_string())?;
        if !response.status().is_success() {
            return Err(format!("Twilio answers HTTP {}", response.status().as_u16()));
        }
        let bytes = response.bytes().await.map_err(|e| e.without_url().to_string())?;
        serde_json::from_slice(&bytes).map_err(|_| "Twilio's answer is no list of its".to_owned())
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
