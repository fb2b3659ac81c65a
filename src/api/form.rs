//! Forms with one file: its small fields come before it, and after it nothing but the end. What breaks off
//! is known as broken, not taken for an end.

use std::collections::HashMap;

use axum::extract::{
    Multipart,
    multipart::{Field, MultipartError},
};

use super::ApiError;
use crate::domain::text::clean;

/// Bytes of a small field.
const SMALL: usize = 8 << 10;
/// Fields of a form.
const MOST: usize = 32;

pub struct Form {
    parts: Multipart,
    known: &'static [&'static str],
    said: Said,
    fields: usize,
}

/// What the small fields said.
#[derive(Default)]
pub struct Said(HashMap<&'static str, String>);

impl Said {
    /// What a field said, where it said something.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(|s| s.trim()).filter(|s| !s.is_empty())
    }
}

impl Form {
    /// A form that knows these small fields; others are passed over.
    pub fn new(parts: Multipart, known: &'static [&'static str]) -> Self {
        Self { parts, known, said: Said::default(), fields: 0 }
    }

    /// The next field: `None` for a small one, heeded or passed over; the file comes with what was said before.
    ///
    /// # Errors
    /// When the form ends without a file, or a field before it is too large.
    pub async fn next(&mut self) -> Result<Option<(Field<'_>, &Said)>, ApiError> {
        self.fields += 1;
        if self.fields > MOST {
            return Err(ApiError::Invalid(format!("the form has more than {MOST} fields before its file")));
        }
        let next = self.parts.next_field().await.map_err(|e| wrong(&e))?;
        let Some(field) = next else { return Err(ApiError::Invalid("the form has no file field \"csvFile\"".to_owned())) };
        let name = field.name().unwrap_or_default();
        if name == "csvFile" {
            return Ok(Some((field, &self.said)));
        }
        if let Some(known) = self.known.iter().find(|k| **k == name) {
            let text = small(field, known).await?;
            self.said.0.insert(known, text);
        }
        Ok(None)
    }

    /// After the file: the form must end, and no field that should have been heeded may follow.
    pub async fn end(&mut self) -> Result<(), ApiError> {
        while let Some(field) = self.parts.next_field().await.map_err(|e| wrong(&e))? {
            let name = clean(field.name().unwrap_or_default(), 40);
            if name == "csvFile" || self.known.contains(&name.as_str()) {
                return Err(ApiError::Invalid(format!("the field \"{name}\" stands behind the file: put it before it. Nothing was kept")));
            }
            self.fields += 1;
            if self.fields > MOST {
                return Err(ApiError::Invalid(format!("the form has more than {MOST} fields")));
            }
        }
        Ok(())
    }
}

async fn small(mut field: Field<'_>, name: &str) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|e| wrong(&e))? {
        if bytes.len() + chunk.len() > SMALL {
            return Err(ApiError::Invalid(format!("the field \"{name}\" is longer than {} KiB", SMALL >> 10)));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| ApiError::Invalid(format!("the field \"{name}\" is no UTF-8")))
}

/// What a body that cannot be read on is answered with.
pub fn wrong(e: &MultipartError) -> ApiError {
    if is_too_large(e) {
        return ApiError::TooLarge("the file is larger than 200 MB: nothing was kept of it, but who is marked \"do not call\" in what was read".to_owned());
    }
    ApiError::Invalid(format!("the upload broke off ({}): nothing was kept", clean(&e.body_text(), 200)))
}

/// Whether a body is over its limit.
pub fn is_too_large(e: &MultipartError) -> bool {
    e.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE
}
