//! Why the desk did not do what it was asked, as far as callers branch on it.

use crate::{
    domain::{FieldError, Refusal},
    store::StoreError,
};

#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// A rule says no, in words.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No such row, or another owner's: the same answer.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// Somebody else changed it first.
    #[error("{0}")]
    Conflict(String),
    /// Well formed but not valid; every field at once.
    #[error("{}", words(.0))]
    Invalid(Vec<FieldError>),
    /// A file that is not what it should be; nothing of it was kept.
    #[error("{0}; nothing of it was kept")]
    Unread(String),
    /// As many at once as may be.
    #[error("{0}")]
    Busy(&'static str),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DeskError {
    /// One complaint about one field.
    #[must_use]
    pub fn field(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }
}

fn words(errors: &[FieldError]) -> String {
    errors.iter().map(|e| format!("{}: {}", e.field, e.message)).collect::<Vec<_>>().join("; ")
}
