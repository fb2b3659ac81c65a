//! `Idempotency-Key`: a request that is sent again answers what it answered the first time.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::Engine;
use sha2::{Digest, Sha256};

use super::{Api, ApiError, Caller};
use crate::{desk::Reserved, domain::FieldError};

type Answer = Result<Response, ApiError>;

/// The key of a request, if it has one, and whose it is.
pub struct Key {
    owner: crate::domain::id::OwnerId,
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

    /// Whether the request names a key.
    pub fn is_given(&self) -> bool {
        self.key.is_some()
    }

    /// Acts, unless this request was answered before. What failed on our side is not kept: it may be
    /// sent again.
    pub async fn once(&self, api: &Api, what: &str, body: &[u8], act: impl Future<Output = Answer>) -> Answer {
        let Some(key) = &self.key else { return act.await };
        let mut digest = Sha256::new();
        digest.update(what);
        digest.update([0]);
        digest.update(body);
        let request = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest.finalize());
        match api.desk.reserve_key(self.owner, key.clone(), request).await? {
            Reserved::Fresh => {}
            Reserved::Answered { status, body } => return Ok(replayed(status, body)),
            Reserved::Another => return Err(ApiError::Conflict("this Idempotency-Key was used for another request".to_owned())),
            Reserved::UnderWay => return Err(ApiError::Conflict("the request of this Idempotency-Key is still being answered: ask again".to_owned())),
        }
        let response = act.await.into_response();
        let status = response.status();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 16 << 20).await.map_err(|e| ApiError::Internal(e.to_string()))?;
        let kept = (!status.is_server_error()).then(|| (status.as_u16(), String::from_utf8_lossy(&bytes).into_owned()));
        api.desk.settle_key(self.owner, key.clone(), kept).await?;
        Ok(Response::from_parts(parts, Body::from(bytes)))
    }
}

fn replayed(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true")),
    ];
    (status, headers, body).into_response()
}
