//! Bodies of PUT and PATCH: clients send back the row they were given, with what they want changed in it, in the
//! API's names or in the columns'.

use serde_json::{Map, Value};

use super::ApiError;
use crate::domain::FieldError;

/// Columns of a row that a body may name and not change.
pub struct Fixed {
    /// Those that stay as they are until somebody commands otherwise.
    pub columns: &'static [&'static str],
    /// Those that move by themselves.
    pub moving: &'static [&'static str],
    /// Words about the row, true when they were told.
    pub remarks: &'static [&'static str],
}

impl Fixed {
    /// What of a body differs from the row as it was answered, and every column that cannot be changed and would
    /// be. `moves`: the row's figures are moving, and an older one in the body is no wish to change it.
    ///
    /// # Errors
    /// A body that is no object.
    pub fn changes(&self, sent: Value, present: &Value, moves: bool) -> Result<(Value, Vec<FieldError>), ApiError> {
        let Value::Object(mut sent) = sent else { return Err(ApiError::Invalid("the body is no object".to_owned())) };
        sent.retain(|name, value| present.get(name) != Some(value));
        for name in self.remarks.iter().chain(self.moving.iter().filter(|_| moves)) {
            sent.remove(*name);
        }
        let refused = self.columns.iter().chain(self.moving).filter(|name| sent.remove(**name).is_some());
        let errors = refused.map(|name| FieldError::new(name, "cannot be changed")).collect();
        Ok((Value::Object(sent), errors))
    }

    /// The same, as a type, where nothing else is to be said of the body.
    ///
    /// # Errors
    /// Every column that cannot be changed and would be; a wrong type, an unknown field.
    pub fn read<T: serde::de::DeserializeOwned>(&self, sent: Value, present: &Value) -> Result<T, ApiError> {
        let (changes, errors) = self.changes(sent, present, false)?;
        if errors.is_empty() { read(changes) } else { Err(ApiError::Unprocessable(errors)) }
    }
}

/// A body of one type.
///
/// # Errors
/// A wrong type, an unknown field, or one field under two names.
pub fn read<T: serde::de::DeserializeOwned>(body: Value) -> Result<T, ApiError> {
    serde_json::from_value(body).map_err(|e| ApiError::Invalid(format!("the body is not what is asked for: {e}")))
}

/// A text; `null` empties it.
pub fn text<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let text: Option<String> = serde::Deserialize::deserialize(d)?;
    Ok(Some(text.unwrap_or_default()))
}

/// Values by name as texts; `null` takes one away.
///
/// # Errors
/// A value that is a list or an object.
pub fn texts(fields: Map<String, Value>) -> Result<Vec<(String, Option<String>)>, ApiError> {
    let text = |value: Value| match value {
        Value::Null => Ok(None),
        Value::String(s) => Ok(Some(s)),
        Value::Number(_) | Value::Bool(_) => Ok(Some(value.to_string())),
        Value::Array(_) | Value::Object(_) => Err(ApiError::Invalid("the values of \"fields\" are texts".to_owned())),
    };
    fields.into_iter().map(|(name, value)| Ok((name, text(value)?))).collect()
}
