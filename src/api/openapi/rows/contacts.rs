//! Contacts, the lists they stand in, and who must not be called.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Serialize, ToSchema)]
pub struct Source {
    id: Uuid,
    user_id: Uuid,
    name: String,
    contact_count: i64,
    row_count: i64,
    do_not_call: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub struct ContactList {
    #[serde(flatten)]
    row: Source,
    description: String,
}

#[derive(Serialize, ToSchema)]
pub struct CsvFile {
    #[serde(flatten)]
    row: Source,
    /// Bytes
    file_size: Option<i64>,
    uploaded_at: DateTime<Utc>,
}

/// Figures of a CSV file
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceStats {
    total: i64,
    active: i64,
    inactive: i64,
    do_not_call: i64,
    with_phone: i64,
    with_email: i64,
    no_zone: i64,
    invalid: i64,
}

#[derive(Serialize, ToSchema)]
pub struct Contact {
    id: Uuid,
    user_id: Uuid,
    name: String,
    first_name: String,
    last_name: String,
    phone_number: String,
    /// The same
    phone: String,
    alternatives: Vec<String>,
    country: String,
    zones: String,
    timezone: Option<String>,
    state: Option<String>,
    email: String,
    company: String,
    notes: String,
    /// Columns that are fields of scripts
    fields: Value,
    do_not_call: bool,
    consent_at: Option<DateTime<Utc>>,
    consent_source: String,
    status: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[schema(nullable = false)]
    contact_list_id: Option<Uuid>,
    #[schema(nullable = false)]
    csv_file_id: Option<Uuid>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    imported: i64,
    duplicate: i64,
    invalid: i64,
    do_not_call: i64,
    no_zone: i64,
    remarked: i64,
    remarks: Vec<Remark>,
    /// New on the do-not-call list
    listed: i64,
    rejects: Vec<Remark>,
}

#[derive(Serialize, ToSchema)]
pub struct Remark {
    line: i64,
    reason: String,
}

#[derive(Serialize, ToSchema)]
pub struct Suppressed {
    number: String,
    reason: String,
    source: String,
    created_by: String,
    created_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub struct ListReport {
    read: i64,
    added: i64,
    invalid: i64,
    /// The header, or a first line without a number
    #[schema(nullable = false)]
    header: Option<String>,
    /// Whose national list it was taken for
    #[schema(nullable = false)]
    country: Option<String>,
}
