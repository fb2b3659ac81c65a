//! The installation: its switch and its terms.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct KillSwitch {
    on: bool,
    reason: String,
}

#[derive(Serialize, ToSchema)]
pub struct Accepted {
    name: String,
    at: DateTime<Utc>,
}
