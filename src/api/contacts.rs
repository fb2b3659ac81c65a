//! Contacts come in as CSV, streamed.

use std::io::Read;

use axum::{
    Json,
    body::Bytes,
    extract::{Multipart, State, multipart::Field},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{
    Api, ApiError,
    auth::{Supervisor, Viewer},
    once::Key,
};
use crate::{
    desk::{Import, ImportError, Progress},
    domain::{FieldError, campaign::ContactSource, phone, text::clean},
    store::ContactTable,
};

type Answer = Result<Response, ApiError>;

/// Hands the chunks of an upload to the thread that parses them.
struct Chunks {
    receive: mpsc::Receiver<Result<Bytes, std::io::Error>>,
    left: Bytes,
}

impl Read for Chunks {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.left.is_empty() {
            match self.receive.blocking_recv() {
                Some(chunk) => self.left = chunk?,
                None => return Ok(0),
            }
        }
        let n = out.len().min(self.left.len());
        out[..n].copy_from_slice(&self.left.split_to(n));
        Ok(n)
    }
}

pub async fn upload(State(api): State<Api>, Supervisor(caller): Supervisor, headers: HeaderMap, mut form: Multipart) -> Answer {
    let key = Key::of(&caller, &headers)?;
    let mut region = api.defaults.region.clone();
    loop {
        let field = form.next_field().await.map_err(|e| ApiError::Invalid(e.body_text()))?;
        let Some(mut field) = field else {
            return Err(ApiError::Invalid("the form has no file field \"csvFile\"".to_owned()));
        };
        match field.name().unwrap_or_default() {
            "region" => region = Some(field.text().await.map_err(|e| ApiError::Invalid(e.body_text()))?),
            "csvFile" => {
                let name = field.file_name().map_or_else(|| "upload.csv".to_owned(), |n| clean(n, 255));
                return if key.is_given() {
                    let (file, digest) = spool(&mut field).await?;
                    let about = [digest.as_slice(), name.as_bytes(), region.as_deref().unwrap_or_default().as_bytes()].concat();
                    let act = {
                        let api = api.clone();
                        async move {
                            let import = start(&api, &caller, name, region.as_deref(), file, CancellationToken::new())?;
                            finish(import.await.map_err(|e| ApiError::Internal(e.to_string()))?)
                        }
                    };
                    key.once(&api, "POST /csv/upload", &about, act).await
                } else {
                    streamed(&api, &caller, name, region.as_deref(), &mut field).await
                };
            }
            _ => {}
        }
    }
}

/// Imports while the bytes come in.
async fn streamed(api: &Api, caller: &super::Caller, name: String, region: Option<&str>, field: &mut Field<'_>) -> Answer {
    let (send, receive) = mpsc::channel(8);
    let cancel = CancellationToken::new();
    let import = start(api, caller, name, region, Chunks { receive, left: Bytes::new() }, cancel.clone())?;
    let guard = cancel.drop_guard();
    while let Some(chunk) = field.chunk().await.transpose() {
        let broken = chunk.is_err();
        let chunk = chunk.map_err(|e| std::io::Error::other(e.body_text()));
        if send.send(chunk).await.is_err() || broken {
            break;
        }
    }
    drop(send);
    let done = import.await.map_err(|e| ApiError::Internal(e.to_string()))?;
    guard.disarm();
    finish(done)
}

/// Takes the whole file first, with its digest: under an idempotency key it must be known whether
/// this is the same upload before anything is kept of it. The file has no name on the disk.
pub(super) async fn spool(field: &mut Field<'_>) -> Result<(std::fs::File, Vec<u8>), ApiError> {
    use std::{
        io::{Seek, Write},
        os::unix::fs::OpenOptionsExt,
    };
    let failed = |e: std::io::Error| ApiError::Internal(format!("an upload could not be kept: {e}"));
    let path = std::env::temp_dir().join(format!("dialdeck-upload-{}", uuid::Uuid::new_v4()));
    let mut file = std::fs::OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
    std::fs::remove_file(&path).map_err(failed)?;
    let mut digest = Sha256::new();
    while let Some(chunk) = field.chunk().await.map_err(|e| ApiError::Invalid(e.body_text()))? {
        digest.update(&chunk);
        file.write_all(&chunk).map_err(failed)?;
    }
    file.rewind().map_err(failed)?;
    Ok((file, digest.finalize().to_vec()))
}

type Importing = tokio::task::JoinHandle<Result<(crate::domain::id::SourceId, crate::domain::contact::ImportReport), ImportError>>;

/// The country of numbers written without +, where one is given.
pub(super) fn region_of(code: Option<&str>) -> Result<Option<rlibphonenumber::Region>, ApiError> {
    let code = code.map(str::trim).filter(|c| !c.is_empty());
    code.map(|c| phone::region(c).map_err(|e| ApiError::Unprocessable(vec![FieldError::new("region", e.to_string())]))).transpose()
}

/// Runs on its own, so that a client that goes away mid-way leaves a cancelled import, not half of one.
fn start(
    api: &Api,
    caller: &super::Caller,
    name: String,
    region: Option<&str>,
    file: impl Read + Send + 'static,
    cancel: CancellationToken,
) -> Result<Importing, ApiError> {
    let region = region_of(region)?;
    let import = Import { table: ContactTable::CsvFile, name, region, mapping: Vec::new(), size: None, dry_run: false };
    let (desk, actor) = (api.desk.clone(), caller.actor());
    Ok(tokio::spawn(async move { desk.import(actor, import, file, watch::Sender::new(Progress::default()), cancel).await }))
}

fn finish(done: Result<(crate::domain::id::SourceId, crate::domain::contact::ImportReport), ImportError>) -> Answer {
    let (id, report) = done.map_err(|e| match e {
        ImportError::Csv(e) => ApiError::Unprocessable(vec![FieldError::new("csvFile", e.to_string())]),
        ImportError::Cancelled => ApiError::Invalid("the upload broke off; nothing was kept".to_owned()),
        ImportError::Desk(e) => e.into(),
    })?;
    let location = [(header::LOCATION, format!("/api/v1/csv/{id}"))];
    let body = json!({ "success": true, "message": format!("{} contacts imported", report.imported), "csvFileId": id, "contactCount": report.imported, "report": report });
    Ok((StatusCode::CREATED, location, Json(body)).into_response())
}

async fn sources(api: &Api, owner: crate::domain::id::OwnerId, wanted: ContactSource) -> Result<Vec<serde_json::Value>, ApiError> {
    let all = api.desk.store().sources(owner).await?;
    Ok(all
        .into_iter()
        .filter(|s| s.source == wanted)
        .map(|s| json!({ "id": s.id, "name": s.name, "user_id": s.user_id, "contact_count": s.contacts, "row_count": s.contacts, "do_not_call": s.do_not_call, "created_at": s.created_at }))
        .collect())
}

pub async fn files(State(api): State<Api>, Viewer(caller): Viewer) -> Answer {
    let rows = sources(&api, caller.owner, ContactSource::CsvFile).await?;
    Ok(Json(json!({ "success": true, "total": rows.len(), "csvFiles": rows })).into_response())
}

pub async fn lists(State(api): State<Api>, Viewer(caller): Viewer) -> Answer {
    let rows = sources(&api, caller.owner, ContactSource::ContactList).await?;
    Ok(Json(json!({ "success": true, "total": rows.len(), "contactLists": rows })).into_response())
}
