//! The identity provider of `SUPABASE_URL`: its public keys, and whom it knows by a token that only it can
//! check. Both are kept for a while; what cannot be asked is denied.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use jsonwebtoken::{Algorithm, DecodingKey};
use parking_lot::{Mutex, RwLock};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::{ApiError, seldom::Seldom};
use crate::{config::Secret, telephony::livekit::tls};

/// Keys are asked for again after this.
const FRESH: Duration = Duration::from_mins(10);
/// Between two questions for keys that nobody can force to be asked sooner.
const REST: Duration = Duration::from_secs(10);
/// Whom the provider knows is known here for so long; whom it does not, for less.
const KNOWN: Duration = Duration::from_mins(1);
const UNKNOWN: Duration = Duration::from_secs(10);
/// Answers of `/user` kept at most.
const MANY: usize = 10_000;
/// How long a question may take, and wait for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// Questions about tokens at once.
const ASKING: usize = 8;
/// Bytes of an answer.
const ANSWER: usize = 256 << 10;

const AWAY: &str = "SUPABASE_URL cannot be asked who this is right now; nothing was done";
const NO_SUCH_KEY: ApiError = ApiError::Unauthenticated("the token's key is not known");
const STRANGER: ApiError = ApiError::Unauthenticated("the token is not valid");

pub struct Provider {
    client: reqwest::Client,
    /// `SUPABASE_URL/auth/v1`: where it is asked, and the issuer of its tokens.
    issuer: String,
    api_key: Secret,
    /// Its shared secret is not configured here: it checks its HS256 tokens itself.
    pub checks_secrets: bool,
    keys: RwLock<Keys>,
    fetching: tokio::sync::Mutex<Fetching>,
    users: Mutex<HashMap<[u8; 32], (Instant, bool)>>,
    asking: Semaphore,
    silences: Seldom,
}

#[derive(Default)]
struct Keys {
    all: Vec<Key>,
    at: Option<Instant>,
}

/// When keys were asked for: since they had aged, and since one was missing.
#[derive(Default)]
struct Fetching {
    aged: Option<Instant>,
    missed: Option<Instant>,
}

/// A public key, of one algorithm.
struct Key {
    kid: Option<String>,
    algorithm: Algorithm,
    decodes: DecodingKey,
}

#[derive(Deserialize)]
struct KeySet {
    /// Each read by itself: a kind of key that is not known here must not hide the others.
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    /// A key to check RS256 or ES256 with; other keys are none of ours.
    fn key(self) -> Option<Key> {
        let (name, algorithm, decodes) = match self.kty.as_str() {
            "RSA" => ("RS256", Algorithm::RS256, DecodingKey::from_rsa_components(&self.n?, &self.e?).ok()?),
            "EC" if self.crv.as_deref() == Some("P-256") => ("ES256", Algorithm::ES256, DecodingKey::from_ec_components(&self.x?, &self.y?).ok()?),
            _ => return None,
        };
        let meant = self.alg.is_none_or(|a| a == name) && self.usage.is_none_or(|u| u == "sig");
        meant.then_some(Key { kid: self.kid, algorithm, decodes })
    }
}

impl Keys {
    fn fresh(&self) -> Option<&Self> {
        self.at.is_some_and(|at| at.elapsed() < FRESH).then_some(self)
    }

    /// By its name; a token that names none means the only one of its algorithm.
    fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let mut fits = self.all.iter().filter(|k| k.algorithm == algorithm && (kid.is_none() || k.kid.as_deref() == kid));
        let first = fits.next()?;
        (kid.is_some() || fits.next().is_none()).then(|| first.decodes.clone())
    }
}

fn rests(since: Option<Instant>) -> bool {
    since.is_some_and(|at| at.elapsed() < REST)
}

impl Provider {
    /// # Errors
    /// In words, when no client can be made.
    pub fn new(url: &str, api_key: Secret, checks_secrets: bool) -> Result<Self, String> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls().map_err(|e| e.to_string())?)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(2))
            .timeout(PATIENCE)
            .no_proxy()
            .build()
            .map_err(|e| e.without_url().to_string())?;
        Ok(Self {
            client,
            issuer: format!("{}/auth/v1", url.trim_end_matches('/')),
            api_key,
            checks_secrets,
            keys: RwLock::default(),
            fetching: tokio::sync::Mutex::default(),
            users: Mutex::default(),
            asking: Semaphore::new(ASKING),
            silences: Seldom::default(),
        })
    }

    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The public key that a token names. One that is not among the kept ones is looked for once more: keys
    /// are changed.
    ///
    /// # Errors
    /// When there is no such key, or the provider cannot be asked.
    pub async fn key(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, ApiError> {
        let kept = || self.keys.read().fresh()?.find(kid, algorithm);
        if let Some(key) = kept() {
            return Ok(key);
        }
        // One question for all who wait here.
        let mut fetching = self.fetching.lock().await;
        if self.keys.read().fresh().is_none() {
            if rests(fetching.aged) {
                return Err(ApiError::Unavailable(AWAY.to_owned()));
            }
            fetching.aged = Some(Instant::now());
            self.fetch().await?;
        }
        if let Some(key) = kept() {
            return Ok(key);
        }
        if rests(fetching.missed) {
            return Err(NO_SUCH_KEY);
        }
        fetching.missed = Some(Instant::now());
        self.fetch().await?;
        kept().ok_or(NO_SUCH_KEY)
    }

    async fn fetch(&self) -> Result<(), ApiError> {
        let got = self.get(".well-known/jwks.json", None).await;
        let set = got.and_then(|(status, body)| match serde_json::from_slice::<KeySet>(&body) {
            Ok(set) if status == 200 => Ok(set),
            _ => Err(format!("HTTP {status}, and no key set")),
        });
        let set = set.map_err(|e| self.away("keys", &e))?;
        let all = set.keys.into_iter().take(64).filter_map(|k| serde_json::from_value::<Jwk>(k).ok()?.key()).collect();
        *self.keys.write() = Keys { all, at: Some(Instant::now()) };
        Ok(())
    }

    /// Whether the provider itself takes this token, as that of this user.
    ///
    /// # Errors
    /// When it does not, or cannot be asked.
    pub async fn vouches(&self, token: &str, user: &str) -> Result<(), ApiError> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        if let Some(known) = self.remembered(&digest) {
            return if known { Ok(()) } else { Err(STRANGER) };
        }
        let turn = tokio::time::timeout(PATIENCE, self.asking.acquire()).await;
        let _turn = turn.map_err(|_| self.away("users", "others are being asked for"))?.map_err(|e| ApiError::Internal(e.to_string()))?;
        if let Some(known) = self.remembered(&digest) {
            return if known { Ok(()) } else { Err(STRANGER) };
        }
        let (status, body) = self.get("user", Some(token)).await.map_err(|e| self.away("users", &e))?;
        let known = match status {
            200 => serde_json::from_slice::<serde_json::Value>(&body).is_ok_and(|u| u["id"] == user),
            400..=499 => false,
            _ => return Err(self.away("users", &format!("HTTP {status}"))),
        };
        self.remember(digest, known);
        if known { Ok(()) } else { Err(STRANGER) }
    }

    fn remembered(&self, digest: &[u8; 32]) -> Option<bool> {
        self.users.lock().get(digest).filter(|(until, _)| *until > Instant::now()).map(|(_, known)| *known)
    }

    fn remember(&self, digest: [u8; 32], known: bool) {
        let mut users = self.users.lock();
        if users.len() >= MANY {
            users.retain(|_, (until, _)| *until > Instant::now());
        }
        if users.len() < MANY {
            users.insert(digest, (Instant::now() + if known { KNOWN } else { UNKNOWN }, known));
        }
    }

    /// Said once a minute: anybody can come with a token that only the provider could judge.
    fn away(&self, what: &str, why: &str) -> ApiError {
        self.silences.say(|n| {
            tracing::warn!(target: "api", error = %why, count = n, "SUPABASE_URL cannot be asked for its {what}: who comes with its tokens is not let in");
        });
        ApiError::Unavailable(AWAY.to_owned())
    }

    /// Status and body of an answer; words without URL or key where there is none.
    async fn get(&self, path: &str, token: Option<&str>) -> Result<(u16, Vec<u8>), String> {
        let mut request = self.client.get(format!("{}/{path}", self.issuer));
        if let Some(token) = token {
            request = request.header("apikey", self.api_key.reveal()).header("authorization", format!("Bearer {token}"));
        }
        let words = |e: reqwest::Error| e.without_url().to_string();
        let mut response = request.send().await.map_err(words)?;
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(words)? {
            body.extend_from_slice(&piece);
            if body.len() > ANSWER {
                return Err("its answer has no end".to_owned());
            }
        }
        Ok((response.status().as_u16(), body))
    }
}
