//! Contact lists and CSV files, and the contacts in them, one by one.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Api, ApiError, Caller,
    auth::{Supervisor, Viewer},
    body::{self, Paging},
    changes::{self, Fixed},
    contacts::region_of,
    rows,
};
use crate::{
    desk::ContactChange,
    domain::{
        contact::Written,
        id::{ContactId, OwnerId, SourceId},
    },
    store::{ContactRow, ContactTable, SourceRow},
};

type Answer = Result<Response, ApiError>;

/// What a source of this kind is called, in words.
fn noun(table: ContactTable) -> &'static str {
    match table {
        ContactTable::ContactList => "contact list",
        ContactTable::CsvFile => "CSV file",
    }
}

async fn own(api: &Api, owner: OwnerId, table: ContactTable, id: &str) -> Result<SourceRow, ApiError> {
    let id: SourceId = body::id(id, noun(table))?;
    let found = api.desk.store().source(owner, id).await?;
    found.filter(|s| s.source == table && s.status == "completed").ok_or(ApiError::NotFound(noun(table)))
}

async fn own_contact(api: &Api, owner: OwnerId, table: ContactTable, id: &str) -> Result<ContactRow, ApiError> {
    let id: ContactId = body::id(id, "contact")?;
    api.desk.store().contact(owner, table, id).await?.ok_or(ApiError::NotFound("contact"))
}

async fn sources(api: &Api, owner: OwnerId, table: ContactTable, paging: &Paging, key: &str) -> Answer {
    let (limit, offset) = paging.limits()?;
    let page = api.desk.store().sources_page(owner, table, limit, offset).await?;
    let out: Vec<Value> = page.rows.iter().map(rows::source).collect();
    Ok(Json(json!({ "success": true, key: out, "total": page.total })).into_response())
}

pub async fn files(api: Api, Viewer(caller): Viewer, Query(paging): Query<Paging>) -> Answer {
    sources(&api, caller.owner, ContactTable::CsvFile, &paging, "csvFiles").await
}

pub async fn lists(api: Api, Viewer(caller): Viewer, Query(paging): Query<Paging>) -> Answer {
    sources(&api, caller.owner, ContactTable::ContactList, &paging, "contactLists").await
}

pub async fn file(api: Api, Viewer(caller): Viewer, Path(id): Path<String>) -> Answer {
    let row = own(&api, caller.owner, ContactTable::CsvFile, &id).await?;
    Ok(Json(json!({ "success": true, "csvFile": rows::source(&row) })).into_response())
}

pub async fn list(api: Api, Viewer(caller): Viewer, Path(id): Path<String>) -> Answer {
    let row = own(&api, caller.owner, ContactTable::ContactList, &id).await?;
    Ok(Json(json!({ "success": true, "contactList": rows::source(&row) })).into_response())
}

/// Every contact has a number, and none is switched off: the old front end asks for the figures.
pub async fn stats(api: Api, Viewer(caller): Viewer, Path(id): Path<String>) -> Answer {
    let row = own(&api, caller.owner, ContactTable::CsvFile, &id).await?;
    let m = api.desk.store().makeup(&row).await?;
    let stats = json!({
        "total": m.total, "active": m.total, "inactive": 0, "doNotCall": m.do_not_call, "withPhone": m.total, "withEmail": m.with_email,
        "noZone": m.total - m.with_zone, "invalid": row.invalid,
    });
    Ok(Json(json!({ "success": true, "stats": stats })).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListRequest {
    #[serde(default)]
    name: Option<String>,
    #[serde(default, deserialize_with = "changes::text")]
    description: Option<String>,
}

pub async fn create_list(api: Api, Supervisor(caller): Supervisor, headers: HeaderMap, bytes: Bytes) -> Answer {
    let r: ListRequest = body::json(&headers, &bytes)?;
    let id = api.desk.create_list(caller.actor(), r.name.unwrap_or_default(), r.description.unwrap_or_default()).await?;
    let row = own(&api, caller.owner, ContactTable::ContactList, &id.to_string()).await?;
    let location = [(header::LOCATION, format!("/api/v1/contact-lists/{id}"))];
    Ok((StatusCode::CREATED, location, Json(json!({ "success": true, "contactList": rows::source(&row) }))).into_response())
}

const OF_A_LIST: Fixed = Fixed {
    columns: &["id", "user_id", "file_size", "uploaded_at", "created_at"],
    moving: &["contact_count", "row_count", "do_not_call", "updated_at"],
    remarks: &[],
};

pub async fn edit_list(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    let row = own(&api, caller.owner, ContactTable::ContactList, &id).await?;
    let sent: Value = body::json(&headers, &bytes)?;
    let r: ListRequest = OF_A_LIST.read(sent, &rows::source(&row))?;
    api.desk.edit_list(caller.actor(), row.id, r.name.unwrap_or(row.name), r.description.unwrap_or(row.description)).await?;
    let row = own(&api, caller.owner, ContactTable::ContactList, &id).await?;
    Ok(Json(json!({ "success": true, "contactList": rows::source(&row) })).into_response())
}

async fn remove_source(api: &Api, caller: &Caller, table: ContactTable, id: &str) -> Answer {
    let row = own(api, caller.owner, table, id).await?;
    api.desk.delete_source(caller.actor(), table, row.id).await?;
    Ok(Json(json!({ "success": true, "message": format!("{} \"{}\" deleted", noun(table), row.name) })).into_response())
}

pub async fn remove_file(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>) -> Answer {
    remove_source(&api, &caller, ContactTable::CsvFile, &id).await
}

pub async fn remove_list(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>) -> Answer {
    remove_source(&api, &caller, ContactTable::ContactList, &id).await
}

async fn contacts(api: &Api, owner: OwnerId, table: ContactTable, id: &str, paging: &Paging) -> Answer {
    let source = own(api, owner, table, id).await?;
    let (limit, offset) = paging.limits()?;
    let page = api.desk.store().contacts(owner, &source, limit, offset).await?;
    let out: Vec<Value> = page.rows.iter().map(|c| rows::contact(c, table, owner)).collect();
    Ok(Json(json!({ "success": true, "contacts": out, "total": page.total })).into_response())
}

pub async fn contacts_of_file(api: Api, Viewer(caller): Viewer, Path(id): Path<String>, Query(paging): Query<Paging>) -> Answer {
    contacts(&api, caller.owner, ContactTable::CsvFile, &id, &paging).await
}

pub async fn contacts_of_list(api: Api, Viewer(caller): Viewer, Path(id): Path<String>, Query(paging): Query<Paging>) -> Answer {
    contacts(&api, caller.owner, ContactTable::ContactList, &id, &paging).await
}

async fn contact(api: &Api, owner: OwnerId, table: ContactTable, id: &str) -> Answer {
    let row = own_contact(api, owner, table, id).await?;
    Ok(Json(json!({ "success": true, "contact": rows::contact(&row, table, owner) })).into_response())
}

pub async fn contact_of_file(api: Api, Viewer(caller): Viewer, Path(id): Path<String>) -> Answer {
    contact(&api, caller.owner, ContactTable::CsvFile, &id).await
}

pub async fn contact_of_list(api: Api, Viewer(caller): Viewer, Path(id): Path<String>) -> Answer {
    contact(&api, caller.owner, ContactTable::ContactList, &id).await
}

/// A contact, or what is to be changed of it. The old front end has first and last name apart, and `phone`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ContactRequest {
    #[serde(alias = "phone_number", alias = "phone", deserialize_with = "changes::text")]
    phone_number: Option<String>,
    #[serde(deserialize_with = "changes::text")]
    name: Option<String>,
    #[serde(alias = "first_name", deserialize_with = "changes::text")]
    first_name: Option<String>,
    #[serde(alias = "last_name", deserialize_with = "changes::text")]
    last_name: Option<String>,
    #[serde(deserialize_with = "changes::text")]
    email: Option<String>,
    #[serde(deserialize_with = "changes::text")]
    company: Option<String>,
    #[serde(deserialize_with = "changes::text")]
    notes: Option<String>,
    #[serde(deserialize_with = "changes::text")]
    timezone: Option<String>,
    #[serde(deserialize_with = "changes::text")]
    state: Option<String>,
    #[serde(deserialize_with = "changes::text")]
    postcode: Option<String>,
    #[serde(alias = "do_not_call")]
    do_not_call: Option<bool>,
    #[serde(alias = "consent_at", deserialize_with = "changes::text")]
    consent_at: Option<String>,
    #[serde(alias = "consent_source", deserialize_with = "changes::text")]
    consent_source: Option<String>,
    fields: Map<String, Value>,
}

impl ContactRequest {
    /// The whole name, of which one part may stay.
    fn name(&mut self, present: &str) -> Option<String> {
        let (first, last) = rows::first_and_last(present);
        match (self.first_name.take(), self.last_name.take()) {
            (None, None) => self.name.take(),
            (first_given, last_given) => {
                let [first, last] = [first_given.unwrap_or(first.to_owned()), last_given.unwrap_or(last.to_owned())];
                Some(self.name.take().unwrap_or_else(|| format!("{} {}", first.trim(), last.trim())))
            }
        }
    }

    fn written(mut self) -> Result<Written, ApiError> {
        let name = self.name("").unwrap_or_default();
        let fields = changes::texts(self.fields)?.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        Ok(Written {
            phone: self.phone_number.unwrap_or_default(),
            name,
            email: self.email.unwrap_or_default(),
            company: self.company.unwrap_or_default(),
            notes: self.notes.unwrap_or_default(),
            timezone: self.timezone.unwrap_or_default(),
            state: self.state.unwrap_or_default(),
            postcode: self.postcode.unwrap_or_default(),
            do_not_call: self.do_not_call.unwrap_or_default(),
            consent_at: self.consent_at.unwrap_or_default(),
            consent_source: self.consent_source.unwrap_or_default(),
            fields,
        })
    }

    fn change(mut self, present: &str) -> Result<ContactChange, ApiError> {
        Ok(ContactChange {
            name: self.name(present),
            phone: self.phone_number,
            email: self.email,
            company: self.company,
            notes: self.notes,
            timezone: self.timezone,
            state: self.state,
            postcode: self.postcode,
            do_not_call: self.do_not_call,
            consent_at: self.consent_at,
            consent_source: self.consent_source,
            fields: changes::texts(self.fields)?,
        })
    }
}

async fn add(api: &Api, caller: &Caller, table: ContactTable, id: &str, headers: &HeaderMap, bytes: &[u8]) -> Answer {
    let source = own(api, caller.owner, table, id).await?;
    let request: ContactRequest = body::json(headers, bytes)?;
    let region = region_of(api.defaults.region.as_deref())?;
    let id = api.desk.add_contact(caller.actor(), table, source.id, request.written()?, region).await?;
    let row = own_contact(api, caller.owner, table, &id.to_string()).await?;
    let place = match table {
        ContactTable::ContactList => "contacts",
        ContactTable::CsvFile => "csv/contacts",
    };
    let location = [(header::LOCATION, format!("/api/v1/{place}/{id}"))];
    Ok((StatusCode::CREATED, location, Json(json!({ "success": true, "contact": rows::contact(&row, table, caller.owner) }))).into_response())
}

pub async fn add_to_file(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    add(&api, &caller, ContactTable::CsvFile, &id, &headers, &bytes).await
}

pub async fn add_to_list(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    add(&api, &caller, ContactTable::ContactList, &id, &headers, &bytes).await
}

const OF_A_CONTACT: Fixed = Fixed {
    columns: &["id", "user_id", "contact_list_id", "csv_file_id", "country", "zones", "alternatives", "status", "created_at"],
    moving: &["updated_at"],
    remarks: &[],
};

async fn edit(api: &Api, caller: &Caller, table: ContactTable, id: &str, headers: &HeaderMap, bytes: &[u8]) -> Answer {
    let row = own_contact(api, caller.owner, table, id).await?;
    let sent: Value = body::json(headers, bytes)?;
    let request: ContactRequest = OF_A_CONTACT.read(sent, &rows::contact(&row, table, caller.owner))?;
    let region = region_of(api.defaults.region.as_deref())?;
    api.desk.edit_contact(caller.actor(), table, row.id, request.change(&row.name)?, region).await?;
    contact(api, caller.owner, table, id).await
}

pub async fn edit_in_file(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    edit(&api, &caller, ContactTable::CsvFile, &id, &headers, &bytes).await
}

pub async fn edit_in_list(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>, headers: HeaderMap, bytes: Bytes) -> Answer {
    edit(&api, &caller, ContactTable::ContactList, &id, &headers, &bytes).await
}

async fn remove(api: &Api, caller: &Caller, table: ContactTable, id: &str) -> Answer {
    let row = own_contact(api, caller.owner, table, id).await?;
    api.desk.delete_contact(caller.actor(), table, row.id).await?;
    Ok(Json(json!({ "success": true, "message": "contact deleted" })).into_response())
}

pub async fn remove_from_file(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>) -> Answer {
    remove(&api, &caller, ContactTable::CsvFile, &id).await
}

pub async fn remove_from_list(api: Api, Supervisor(caller): Supervisor, Path(id): Path<String>) -> Answer {
    remove(&api, &caller, ContactTable::ContactList, &id).await
}
