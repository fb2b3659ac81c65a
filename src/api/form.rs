//! Forms with one file: its small fields come before it, and after it nothing but the end. What breaks off
//! is known as broken, not taken for an end.

use std::{
    collections::HashMap,
    io::{Error, ErrorKind},
    sync::{
        Arc,
        atomic::{AtomicIsize, Ordering},
    },
};

use axum::{
    body::{Body, Bytes},
    extract::{
        FromRequest, Multipart, Request,
        multipart::{Field, MultipartError},
    },
    http::{HeaderMap, header},
};
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;

use super::ApiError;
use crate::domain::text::clean;

/// Bytes of a small field.
const SMALL: usize = 8 << 10;
/// Fields of a form.
const MOST: usize = 32;
/// Bytes outside of the file that come without a field: the reader of forms holds them all.
const LEAD: isize = 1 << 20;

pub struct Form {
    parts: Multipart,
    known: &'static [&'static str],
    said: Said,
    fields: usize,
    broken: Breakage,
    outside: Outside,
}

/// Bytes outside of the file since the last field; far beyond [`LEAD`] while the file is read.
type Outside = Arc<AtomicIsize>;

/// Why a body did not come to its end.
type Breakage = Arc<Mutex<Option<Error>>>;

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if !content.split(';').next().is_some_and(|c| c.trim().eq_ignore_ascii_case("multipart/form-data")) {
            return Err(ApiError::UnsupportedMedia("send multipart/form-data"));
        }
        let (broken, outside) = (Breakage::default(), Outside::default());
        let request = match boundary(request.headers()) {
            Some(boundary) => request.map(|body| with_an_end(body, &boundary, broken.clone(), outside.clone())),
            None => request,
        };
        let parts = Multipart::from_request(request, state).await.map_err(|e| ApiError::Invalid(e.body_text()))?;
        Ok(Self { parts, known: &[], said: Said::default(), fields: 0, broken, outside })
    }
}

fn boundary(headers: &HeaderMap) -> Option<String> {
    let content = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let parameter = content.split(';').filter_map(|p| p.trim().split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
    Some(parameter.1.trim_matches('"').to_owned())
}

/// A body that breaks off gets the end of a form: the reader of forms keeps back what it holds of a file
/// whose end does not come, and those who said no in it would not be heard.
fn with_an_end(body: Body, boundary: &str, broken: Breakage, outside: Outside) -> Body {
    let end = format!("\r\n--{boundary}--\r\n");
    let last = Vec::with_capacity(2 * end.len());
    let pieces = stream::unfold((body.into_data_stream(), last, false), move |(mut body, mut last, ended)| {
        let (end, broken, outside) = (end.clone(), broken.clone(), outside.clone());
        async move {
            if ended {
                return None;
            }
            // The reader of forms takes all that is ready before it gives any on: one piece at a time is.
            tokio::task::yield_now().await;
            let why = match body.next().await {
                Some(Ok(piece)) if is_too_much(&outside, piece.len()) => Error::new(ErrorKind::InvalidData, "a MiB came without a field of the form"),
                Some(Ok(piece)) => {
                    last.extend_from_slice(&piece[piece.len().saturating_sub(end.len())..]);
                    last.drain(..last.len().saturating_sub(end.len()));
                    return Some((Ok::<_, Error>(piece), (body, last, false)));
                }
                Some(Err(e)) => Error::other(e),
                None if last.windows(end.len() - 2).any(|w| w == &end.as_bytes()[..end.len() - 2]) => return None,
                None => Error::new(ErrorKind::UnexpectedEof, "it has no end"),
            };
            *broken.lock() = Some(why);
            Some((Ok(Bytes::from(end)), (body, last, true)))
        }
    });
    Body::from_stream(pieces)
}

/// Counts a piece; whether too much came before it outside of the file without a field.
fn is_too_much(outside: &Outside, came: usize) -> bool {
    outside.fetch_add(isize::try_from(came).unwrap_or(isize::MAX / 4), Ordering::Relaxed) > LEAD
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
    /// Heeds these small fields; others are passed over.
    #[must_use]
    pub fn knowing(mut self, known: &'static [&'static str]) -> Self {
        self.known = known;
        self
    }

    /// Why the body did not come to its end, where it did not.
    pub fn breakage(&self) -> Option<Error> {
        self.broken.lock().as_ref().map(|e| Error::new(ErrorKind::UnexpectedEof, format!("the upload broke off ({})", clean(&e.to_string(), 200))))
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
        let next = self.parts.next_field().await.map_err(|e| wrong(&e));
        self.outside.store(0, Ordering::Relaxed);
        let next = match (next, self.broken.lock().as_ref()) {
            (Ok(None) | Err(ApiError::Invalid(_)), Some(e)) => {
                return Err(broken_off(e));
            }
            (next, _) => next?,
        };
        let Some(field) = next else { return Err(ApiError::Invalid("the form has no file field \"csvFile\"".to_owned())) };
        let name = field.name().unwrap_or_default();
        if name == "csvFile" {
            // A file is as long as the limit of the body allows, and none of it is held.
            self.outside.store(isize::MIN / 2, Ordering::Relaxed);
            return Ok(Some((field, &self.said)));
        }
        if let Some(known) = self.known.iter().find(|k| **k == name) {
            let text = small(field, known).await?;
            self.said.0.insert(known, text);
        }
        Ok(None)
    }

    /// After the file: the form must end, and no field that should have been heeded may follow.
    ///
    /// # Errors
    /// When it does not, or broke off.
    pub async fn end(&mut self) -> Result<(), ApiError> {
        self.outside.store(0, Ordering::Relaxed);
        while let Some(field) = self.parts.next_field().await.map_err(|e| self.broken.lock().as_ref().map_or_else(|| wrong(&e), broken_off))? {
            self.outside.store(0, Ordering::Relaxed);
            let name = clean(field.name().unwrap_or_default(), 40);
            if name == "csvFile" || self.known.contains(&name.as_str()) {
                return Err(ApiError::Invalid(format!("the field \"{name}\" stands behind the file: put it before it. Nothing was kept")));
            }
            self.fields += 1;
            if self.fields > MOST {
                return Err(ApiError::Invalid(format!("the form has more than {MOST} fields")));
            }
        }
        self.breakage().map_or(Ok(()), |e| Err(ApiError::Invalid(format!("{e}: nothing was kept"))))
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

fn broken_off(why: &Error) -> ApiError {
    ApiError::Invalid(format!("the upload broke off ({}): nothing was kept", clean(&why.to_string(), 200)))
}

/// What a body that cannot be read on is answered with.
pub fn wrong(e: &MultipartError) -> ApiError {
    if is_too_large(e) {
        return ApiError::TooLarge("the form is larger than 200 MB: nothing was kept".to_owned());
    }
    ApiError::Invalid(format!("the upload broke off ({}): nothing was kept", clean(&e.body_text(), 200)))
}

/// Whether a body is over its limit.
pub fn is_too_large(e: &MultipartError) -> bool {
    e.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE
}
