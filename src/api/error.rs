//! Failures in the documented envelope. The text of a 5xx stays in the log, behind an id.

use std::time::Duration;

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{desk::DeskError, domain::FieldError, provision::ProvisionError, store::StoreError, telephony::CarrierError};

/// Whoever was told that nothing could be done may ask again after this.
const SOON: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub enum ApiError {
    /// Malformed: not JSON, wrong type, unknown field.
    Invalid(String),
    Unauthenticated(&'static str),
    Forbidden(String),
    NotFound(&'static str),
    Refused {
        message: String,
        details: Value,
    },
    Conflict(String),
    UnsupportedMedia(&'static str),
    TooLarge(String),
    /// Too many requests of one token, or uploads of one owner; when to ask again.
    RateLimited(&'static str, Duration),
    /// The path has no such method.
    NoMethod,
    Unprocessable(Vec<FieldError>),
    /// The database or LiveKit cannot be asked; nothing was done.
    Unavailable(String),
    Internal(String),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, message, details) = match self {
            Self::Invalid(m) => (StatusCode::BAD_REQUEST, "invalid_request", m, Value::Null),
            Self::Unauthenticated(m) => {
                let mut response = Self::failure(StatusCode::UNAUTHORIZED, "unauthenticated", m, Value::Null);
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                return response;
            }
            Self::Forbidden(m) => (StatusCode::FORBIDDEN, "forbidden", m, Value::Null),
            Self::NotFound(what) => (StatusCode::NOT_FOUND, "not_found", format!("{what} not found"), Value::Null),
            Self::Refused { message, details } => (StatusCode::CONFLICT, "refused", message, details),
            Self::Conflict(m) => (StatusCode::CONFLICT, "conflict", m, Value::Null),
            Self::UnsupportedMedia(m) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media", m.to_owned(), Value::Null),
            Self::TooLarge(m) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", m, Value::Null),
            Self::RateLimited(m, wait) => return Self::later(StatusCode::TOO_MANY_REQUESTS, "rate_limited", m, wait),
            // A request that cannot be right, as one that is malformed: nothing of it is a word of its own.
            Self::NoMethod => (StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "the path has no such method".to_owned(), Value::Null),
            Self::Unprocessable(fields) => {
                let words = fields.iter().map(|f| format!("{}: {}", f.field, f.message)).collect::<Vec<_>>().join("; ");
                (StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", words, json!(fields))
            }
            Self::Unavailable(m) => return Self::later(StatusCode::SERVICE_UNAVAILABLE, "unavailable", &m, SOON),
            Self::Internal(m) => {
                let id = uuid::Uuid::new_v4().simple().to_string();
                tracing::error!(target: "api", error_id = %id, "{m}");
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", format!("internal error {id}: the log has it"), Value::Null)
            }
        };
        Self::failure(status, code, &message, details)
    }
}

impl ApiError {
    fn failure(status: StatusCode, code: &str, message: &str, details: Value) -> Response {
        let mut body = json!({ "success": false, "code": code, "message": message });
        if let (false, Some(map)) = (details.is_null(), body.as_object_mut()) {
            map.insert("details".to_owned(), details);
        }
        (status, Json(body)).into_response()
    }

    /// A failure that may be over after a while.
    fn later(status: StatusCode, code: &str, message: &str, wait: Duration) -> Response {
        let mut response = Self::failure(status, code, message, Value::Null);
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, seconds.max(1).into());
        response
    }
}

impl From<DeskError> for ApiError {
    fn from(e: DeskError) -> Self {
        match e {
            DeskError::Refused(r) => Self::Refused { details: json!({ "gate": r.gate, "until": r.until }), message: r.message },
            DeskError::NotFound(what) => Self::NotFound(what),
            DeskError::Conflict(m) => Self::Conflict(m),
            DeskError::Invalid(fields) => Self::Unprocessable(fields),
            DeskError::Unread(m) => Self::Unprocessable(vec![FieldError::new("csvFile", format!("{m}; nothing of it was kept"))]),
            DeskError::Busy(m) => Self::RateLimited(m, Duration::from_secs(1)),
            DeskError::Store(e) => e.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Moved(_) => Self::Unavailable(e.to_string()),
            StoreError::Letter => Self::Conflict(e.to_string()),
            StoreError::Busy(_) | StoreError::Away(_) | StoreError::Closed => {
                Self::Unavailable("the database cannot be asked right now; nothing was done".to_owned())
            }
            e => Self::Internal(e.to_string()),
        }
    }
}

impl From<CarrierError> for ApiError {
    fn from(e: CarrierError) -> Self {
        match e {
            CarrierError::Refused(_) => Self::Conflict(e.to_string()),
            e => Self::Unavailable(e.to_string()),
        }
    }
}

impl From<ProvisionError> for ApiError {
    fn from(e: ProvisionError) -> Self {
        match e {
            ProvisionError::Desk(e) => e.into(),
            ProvisionError::Carrier(e) => e.into(),
        }
    }
}
