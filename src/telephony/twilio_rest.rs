//! Questions to Twilio's REST API: one account, one login, never a redirect, nothing of the login in an error.

use std::time::Duration;

use base64::Engine;
use serde::de::DeserializeOwned;

use super::livekit::tls;
use crate::config::Secret;

/// One account's way in.
#[derive(Clone)]
pub struct Rest {
    client: reqwest::Client,
    pub account: String,
    login: String,
}

impl Rest {
    /// # Errors
    /// In words, when no client can be made.
    pub fn new(account: &str, token: &Secret) -> Result<Self, String> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls().map_err(|e| e.to_string())?)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(15))
            .no_proxy()
            .build()
            .map_err(|e| e.without_url().to_string())?;
        let login = base64::engine::general_purpose::STANDARD.encode(format!("{account}:{}", token.reveal()));
        Ok(Self { client, account: account.to_owned(), login })
    }

    /// What a URL answers, read as `what`.
    ///
    /// # Errors
    /// In words without the URL (it may hold a number) or the login.
    pub async fn get<T: DeserializeOwned>(&self, url: &str, what: &str) -> Result<T, String> {
        let sent = self.client.get(url).header("authorization", format!("Basic {}", self.login)).send().await;
        let response = sent.map_err(|e| e.without_url().to_string())?;
        match response.status().as_u16() {
            200..=299 => {}
            401 | 403 => return Err("Twilio refuses the login: check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN".to_owned()),
            status => return Err(format!("Twilio answers HTTP {status}")),
        }
        let bytes = response.bytes().await.map_err(|e| e.without_url().to_string())?;
        serde_json::from_slice(&bytes).map_err(|_| format!("Twilio's answer is no {what}"))
    }
}

/// A number in a query.
#[must_use]
pub fn escaped(number: &str) -> String {
    number.bytes().map(|b| if b.is_ascii_digit() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
