//! Request bodies: read after it is settled whose row it is, so that another's row answers the same
//! whatever is sent.

use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use super::ApiError;

/// A JSON body.
///
/// # Errors
/// Another content type, malformed JSON, a wrong type or an unknown field.
pub fn json<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, ApiError> {
    let content = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !content.split(';').next().is_some_and(|c| c.trim().eq_ignore_ascii_case("application/json")) {
        return Err(ApiError::UnsupportedMedia("send application/json"));
    }
    serde_json::from_slice(body).map_err(|e| ApiError::Invalid(format!("the body is not what is asked for: {e}")))
}

/// A body that may be left out.
///
/// # Errors
/// As [`json`], when there is one.
pub fn optional<T: DeserializeOwned + Default>(headers: &HeaderMap, body: &[u8]) -> Result<T, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) { Ok(T::default()) } else { json(headers, body) }
}

/// An id of a path: what is no UUID is not there.
///
/// # Errors
/// When it is no UUID.
pub fn id<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, ApiError> {
    text.parse().map_err(|_| ApiError::NotFound(what))
}

/// `limit` and `offset` of a list.
#[derive(Debug, serde::Deserialize)]
pub struct Paging {
    #[serde(default)]
    limit: Option<i64>,
    #[serde(default)]
    offset: Option<i64>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub outcome: Option<String>,
}

impl Paging {
    /// 50 rows unless asked, 500 at most.
    pub fn limits(&self) -> (i64, i64) {
        (self.limit.unwrap_or(50).clamp(1, 500), self.offset.unwrap_or(0).max(0))
    }
}
