//! What one request may cost: time for its body, and how often a token, an owner or Twilio may come.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;

use super::ApiError;
use crate::{
    config::Limits,
    domain::id::{CallId, OwnerId},
};

/// A body must be here in time.
pub async fn whole_body(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    let end = tokio::time::Instant::now() + limit;
    next.run(request.map(|body| timed(body, move |_| end))).await
}

/// How long a body may be slow before it must come at [`PACE`].
const SLOW: Duration = Duration::from_mins(1);
/// Bytes a second of a long body on the whole: a byte now and then would keep its place for ever.
const PACE: u64 = 1024;

/// The next piece of a long body must be here in time, and the whole at a pace.
pub async fn next_piece(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    let since = tokio::time::Instant::now();
    let until = move |bytes: u64| (tokio::time::Instant::now() + limit).min(since + SLOW + Duration::from_secs(bytes / PACE));
    next.run(request.map(|body| timed(body, until))).await
}

/// `until` tells by how many bytes are there when the next must be.
fn timed(body: Body, until: impl Fn(u64) -> tokio::time::Instant + Send + 'static) -> Body {
    let pieces = stream::unfold((body.into_data_stream(), until, 0), |(mut body, until, bytes)| async move {
        let piece = match tokio::time::timeout_at(until(bytes), body.next()).await {
            Ok(piece) => piece?.map_err(std::io::Error::other),
            Err(_) => Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "the body took too long")),
        };
        let bytes = bytes + piece.as_ref().map_or(0, |p| p.len() as u64);
        Some((piece, (body, until, bytes)))
    });
    Body::from_stream(pieces)
}

/// Refusals that the web framework words itself, in our envelope.
pub async fn envelope(response: Response) -> Response {
    let status = response.status();
    let ours = response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"application/json"));
    if ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let words = axum::body::to_bytes(response.into_body(), 4096).await.unwrap_or_default();
    let words = crate::domain::text::clean(&String::from_utf8_lossy(&words), 300);
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge("the body is too large".to_owned()),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ApiError::UnsupportedMedia("this content type is not taken here"),
        StatusCode::NOT_FOUND => ApiError::NotFound("path"),
        s if s.is_client_error() => ApiError::Invalid(words),
        _ => ApiError::Internal(words),
    }
    .into_response()
}

/// A token, as far as its requests are counted.
type Holder = (OwnerId, Option<CallId>);

/// What is left to each token, each owner and the webhooks.
pub struct Buckets {
    tokens: Filling<Holder>,
    dials: Filling<OwnerId>,
    webhooks: Filling<()>,
}

impl Buckets {
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let dials = f64::from(limits.initiate);
        Self {
            tokens: Filling::new(limits.rate.into(), limits.burst.into()),
            dials: Filling::new(dials / 60.0, dials),
            webhooks: Filling::new(limits.webhooks.into(), f64::from(limits.webhooks) * 2.0),
        }
    }

    /// Takes one request of a token.
    ///
    /// # Errors
    /// When its bucket is empty.
    pub fn take(&self, holder: Holder) -> Result<(), ApiError> {
        self.tokens.take(holder).map_err(|wait| ApiError::RateLimited("too many requests of this token: ask again in a second", wait))
    }

    /// Takes one call that an owner asks for by itself.
    ///
    /// # Errors
    /// When it has asked for as many as it may in a minute.
    pub fn initiate(&self, owner: OwnerId) -> Result<(), ApiError> {
        self.dials.take(owner).map_err(|wait| ApiError::RateLimited("too many calls were asked for one by one: a campaign dials lists", wait))
    }

    /// Takes one signed webhook.
    ///
    /// # Errors
    /// When there are more than can be kept.
    pub fn webhook(&self) -> Result<(), ApiError> {
        self.webhooks.take(()).map_err(|wait| ApiError::RateLimited("too many webhooks: send it again", wait))
    }
}

/// Buckets that fill by the second.
struct Filling<K> {
    rate: f64,
    most: f64,
    left: Mutex<HashMap<K, (f64, Instant)>>,
}

/// Buckets kept before the full ones are forgotten.
const MANY: usize = 10_000;

impl<K: Eq + Hash> Filling<K> {
    fn new(rate: f64, most: f64) -> Self {
        Self { rate, most, left: Mutex::default() }
    }

    /// Takes one; how long to wait for the next, where there is none.
    fn take(&self, holder: K) -> Result<(), Duration> {
        let now = Instant::now();
        let level = |(left, at): (f64, Instant)| (left + now.duration_since(at).as_secs_f64() * self.rate).min(self.most);
        let mut all = self.left.lock();
        if all.len() > MANY {
            all.retain(|_, bucket| level(*bucket) < self.most);
        }
        let left = all.get(&holder).map_or(self.most, |b| level(*b));
        if left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - left) / self.rate));
        }
        all.insert(holder, (left - 1.0, now));
        Ok(())
    }
}
