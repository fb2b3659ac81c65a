//! `Idempotency-Key`: a request that is sent again answers what it answered the first time.

use std::panic::AssertUnwindSafe;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::Engine;
use futures_util::FutureExt;
use sha2::{Digest, Sha256};

use super::{Api, ApiError, Caller};
use crate::{
    desk::{Desk, Reply, Reserved},
    domain::{FieldError, id::OwnerId},
};

type Answer = Result<Response, ApiError>;

/// The key of a request, if it has one, and whose it is.
pub struct Key {
    owner: OwnerId,
    key: Option<String>,
}

impl Key {
    /// # Errors
    /// When the header is no plain text of 1 to 255 characters.
    pub fn of(caller: &Caller, headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(value) = headers.get("idempotency-key") else { return Ok(Self { owner: caller.owner, key: None }) };
        let key = value.to_str().ok().map(str::trim).filter(|k| (1..=255).contains(&k.len()));
        let wrong = || ApiError::Unprocessable(vec![FieldError::new("Idempotency-Key", "is not 1 to 255 plain characters")]);
        Ok(Self { owner: caller.owner, key: Some(key.ok_or_else(wrong)?.to_owned()) })
    }

    /// The key, where there is one.
    pub fn text(&self) -> Option<String> {
        self.key.clone()
    }

    /// Whether the request names a key.
    pub fn is_given(&self) -> bool {
        self.key.is_some()
    }

    /// Acts, unless this request was answered before. What failed on our side, or came too early, is not kept: it
    /// may be sent again. A client that goes away meanwhile changes nothing: it hears the answer when it asks again.
    pub async fn once(self, api: &Api, what: &str, body: &[u8], act: impl Future<Output = Answer> + Send + 'static) -> Answer {
        let Some(key) = self.key else { return act.await };
        let mut digest = Sha256::new();
        digest.update(what);
        digest.update([0]);
        digest.update(body);
        let request = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest.finalize());
        let whole = tokio::spawn(reserve_and_settle(api.desk.clone(), self.owner, key, request, act));
        whole.await.map_err(|e| ApiError::Internal(e.to_string()))?
    }
}

/// From the key's taking to its reply in one piece: the server drops what it runs for a connection that
/// breaks, and the act would stay half done under a key that answers nothing.
async fn reserve_and_settle(desk: Desk, owner: OwnerId, key: String, request: String, act: impl Future<Output = Answer> + Send) -> Answer {
    match desk.reserve_key(owner, key.clone(), request).await? {
        Reserved::Fresh => {}
        Reserved::Answered(reply) => return Ok(replayed(reply)),
        Reserved::Another => return Err(ApiError::Conflict("this Idempotency-Key was used for another request".to_owned())),
        Reserved::UnderWay => return Err(ApiError::Conflict("the request of this Idempotency-Key is still being answered: ask again".to_owned())),
    }
    let acted = AssertUnwindSafe(act).catch_unwind().await;
    let response = acted.unwrap_or_else(|_| Err(ApiError::Internal("a request under an Idempotency-Key broke down".to_owned()))).into_response();
    let status = response.status();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 16 << 20).await.map_err(|e| ApiError::Internal(e.to_string()))?;
    let location = parts.headers.get(header::LOCATION).and_then(|l| l.to_str().ok()).unwrap_or_default().to_owned();
    let reply = Reply { status: status.as_u16(), body: String::from_utf8_lossy(&bytes).into_owned(), location };
    let passes = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    desk.settle_key(owner, key, (!passes).then_some(reply)).await?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn replayed(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true")),
    ];
    let mut response = (status, headers, reply.body).into_response();
    if let Some(place) = HeaderValue::from_str(&reply.location).ok().filter(|l| !l.is_empty()) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}
