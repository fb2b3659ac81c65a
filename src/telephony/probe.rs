//! A plain client that looks whether a URL of our own is answered, and how: for `doctor` and `status`.

use std::time::Duration;

use super::{
    livekit::tls,
    twilio::{self, Form},
};

/// Follows nothing and keeps nothing.
pub struct Probe {
    client: reqwest::Client,
}

/// Status and the beginning of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    pub body: String,
}

/// More of an answer is not read.
const ENOUGH: usize = 64 << 10;

impl Probe {
    /// # Errors
    /// In words, when no client can be made.
    pub fn new(patience: Duration) -> Result<Self, String> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls().map_err(|e| e.to_string())?)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(patience)
            .timeout(patience)
            .no_proxy()
            .build();
        client.map(|client| Self { client }).map_err(|e| e.without_url().to_string())
    }

    /// # Errors
    /// In a few plain words, when nothing answers.
    pub async fn get(&self, url: &str) -> Result<Answered, String> {
        Self::read(self.client.get(url)).await
    }

    /// Posts a form as Twilio does, signed with a token, or not at all.
    ///
    /// # Errors
    /// In a few plain words, when nothing answers.
    pub async fn callback(&self, url: &str, form: &Form, token: Option<&str>) -> Result<Answered, String> {
        let body: Vec<String> = form.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let post = self.client.post(url).header("content-type", "application/x-www-form-urlencoded").body(body.join("&"));
        Self::read(match token {
            Some(token) => post.header("x-twilio-signature", twilio::sign(token, url, form)),
            None => post,
        })
        .await
    }

    /// Whether Twilio's REST takes a login: the HTTP status of the smallest question.
    ///
    /// # Errors
    /// In a few plain words, when nothing answers.
    pub async fn twilio_account(&self, api_url: &str, account: &str, token: &str) -> Result<u16, String> {
        use base64::Engine;
        let login = base64::engine::general_purpose::STANDARD.encode(format!("{account}:{token}"));
        let url = format!("{}/2010-04-01/Accounts/{account}/Calls.json?PageSize=1", api_url.trim_end_matches('/'));
        Ok(Self::read(self.client.get(url).header("authorization", format!("Basic {login}"))).await?.status)
    }

    async fn read(request: reqwest::RequestBuilder) -> Result<Answered, String> {
        let words = |e: &reqwest::Error| super::livekit::root_cause(e).to_owned();
        let mut response = request.send().await.map_err(|e| if e.is_builder() { "it is no URL".to_owned() } else { words(&e) })?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| words(&e))? {
            body.extend_from_slice(&chunk);
            if body.len() >= ENOUGH {
                break;
            }
        }
        Ok(Answered { status, body: String::from_utf8_lossy(&body).into_owned() })
    }
}
