//! Request bodies: read after it is settled whose row it is, so that another's row answers the same
//! whatever is sent.

use std::{collections::HashSet, fmt};

use axum::http::{HeaderMap, header};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor},
};

use super::ApiError;
use crate::domain::{FieldError, text::clean};

/// A JSON body.
///
/// # Errors
/// Another content type, malformed JSON, a wrong type or an unknown field.
pub fn json<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, ApiError> {
    let content = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !content.split(';').next().is_some_and(|c| c.trim().eq_ignore_ascii_case("application/json")) {
        return Err(ApiError::UnsupportedMedia("send application/json"));
    }
    let unclear = |e: serde_json::Error| ApiError::Invalid(format!("the body is not what is asked for: {e}"));
    serde_json::from_slice::<Once>(body).map_err(unclear)?;
    serde_json::from_slice(body).map_err(unclear)
}

/// JSON in which no object has a key twice: of two values only one would count, and who knows which was meant.
struct Once;

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut keys = HashSet::new();
        while let Some((key, Self)) = map.next_entry::<String, Self>()? {
            let said = clean(&key, 60);
            if !keys.insert(key) {
                return Err(A::Error::custom(format!("\"{said}\" is there twice")));
            }
        }
        Ok(self)
    }
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
    /// Columns that are left out unless they are asked for, separated by commas.
    #[serde(default)]
    fields: Option<String>,
}

impl Paging {
    /// 50 rows unless asked, 500 at most.
    ///
    /// # Errors
    /// No row at all, or an offset before the first.
    pub fn limits(&self) -> Result<(i64, i64), ApiError> {
        let (limit, offset) = (self.limit.unwrap_or(50), self.offset.unwrap_or(0));
        let mut errors = Vec::new();
        errors.extend((limit < 1).then(|| FieldError::new("limit", "is at least 1, and 500 rows are answered at most")));
        errors.extend((offset < 0).then(|| FieldError::new("offset", "is at least 0")));
        if errors.is_empty() { Ok((limit.min(500), offset)) } else { Err(ApiError::Unprocessable(errors)) }
    }

    /// Whether a column is asked for that lists leave out.
    pub fn wants(&self, column: &str) -> bool {
        self.fields.as_deref().is_some_and(|f| f.split(',').any(|c| c.trim() == column))
    }
}
