//! Contacts come in as CSV, streamed. An upload is whole or nothing.

use std::io::{ErrorKind, Read};

use axum::{
    Json,
    body::Bytes,
    extract::multipart::{Field, MultipartError},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{
    Api, ApiError, Caller,
    auth::Supervisor,
    form::{self, Form, Said},
    once::Key,
};
use crate::{
    desk::{Import, ImportError, Progress},
    domain::{
        FieldError,
        csv::{self, CsvError, Mapping},
        phone,
        text::clean,
    },
    store::ContactTable,
};

type Answer = Result<Response, ApiError>;

/// Hands the chunks of an upload to the thread that parses them. An empty one is its end: without it the
/// upload broke off, whoever went away.
struct Chunks {
    receive: mpsc::Receiver<Result<Bytes, std::io::Error>>,
    left: Bytes,
    ended: bool,
}

impl Read for Chunks {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.left.is_empty() && !self.ended {
            match self.receive.blocking_recv() {
                Some(chunk) => self.left = chunk?,
                None => return Err(std::io::Error::new(ErrorKind::UnexpectedEof, "the upload broke off")),
            }
            self.ended = self.left.is_empty();
        }
        let n = out.len().min(self.left.len());
        out[..n].copy_from_slice(&self.left.split_to(n));
        Ok(n)
    }
}

/// What is uploaded and how it is to be read.
struct Upload {
    name: String,
    region: Option<String>,
    mapping: Mapping,
}

impl Upload {
    fn of(api: &Api, field: &Field<'_>, said: &Said) -> Result<Self, ApiError> {
        let name = field.file_name().unwrap_or_default().to_owned();
        Ok(Self { name, region: said.get("region").map(str::to_owned).or_else(|| api.defaults.region.clone()), mapping: mapping_of(said)? })
    }
}

/// The form's `map`: as the command line's.
pub(super) fn mapping_of(said: &Said) -> Result<Mapping, ApiError> {
    csv::mapping(said.get("map").unwrap_or_default()).map_err(|e| ApiError::Unprocessable(vec![FieldError::new("map", e)]))
}

pub async fn upload(api: Api, Supervisor(caller): Supervisor, headers: HeaderMap, form: Form) -> Answer {
    let key = Key::of(&caller, &headers)?;
    let form = form.knowing(&["region", "map"]);
    if key.is_given() { kept_first(api, caller, key, form).await } else { streamed(&api, &caller, form).await }
}

/// Under an idempotency key it must be known whether this is the same upload before anything is kept of it.
async fn kept_first(api: Api, caller: Caller, key: Key, mut form: Form) -> Answer {
    let (mut field, said) = loop {
        if let Some(file) = form.next().await? {
            break file;
        }
    };
    let upload = Upload::of(&api, &field, said)?;
    let about = [said.get("map").unwrap_or_default().as_bytes(), upload.name.as_bytes(), upload.region.as_deref().unwrap_or_default().as_bytes()].concat();
    let Spooled { file, digest, broken } = spool(&mut field).await?;
    drop(field);
    let broken = broken.or_else(|| form.breakage());
    if let Some(e) = broken {
        // Who is marked in what came is believed.
        let import = start(&api, &caller, upload, file.chain(Broken(Some(e))))?;
        return finish(import.await.map_err(|e| ApiError::Internal(e.to_string()))?);
    }
    form.end().await?;
    let act = {
        let api = api.clone();
        async move {
            let import = start(&api, &caller, upload, file)?;
            finish(import.await.map_err(|e| ApiError::Internal(e.to_string()))?)
        }
    };
    key.once(&api, "POST /csv/upload", &[digest, about].concat(), act).await
}

/// The end of a file that broke off.
struct Broken(Option<std::io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Imports while the bytes come in.
async fn streamed(api: &Api, caller: &Caller, mut form: Form) -> Answer {
    let (mut field, said) = loop {
        if let Some(file) = form.next().await? {
            break file;
        }
    };
    let upload = Upload::of(api, &field, said)?;
    let (send, receive) = mpsc::channel(8);
    let import = start(api, caller, upload, Chunks { receive, left: Bytes::new(), ended: false })?;
    let mut broken = false;
    while let Some(chunk) = field.chunk().await.transpose() {
        broken = chunk.is_err();
        let chunk = chunk.map_err(|e| broken_off(&e));
        if chunk.as_ref().is_ok_and(Bytes::is_empty) {
            continue;
        }
        if send.send(chunk).await.is_err() || broken {
            break;
        }
    }
    drop(field);
    // Not before the form has ended is the file known to be whole. An import that has failed takes no more.
    let breakage = form.breakage();
    let ended = if broken || breakage.is_some() { Ok(()) } else { form.end().await };
    let stop = || std::io::Error::from(ErrorKind::UnexpectedEof);
    let last = if ended.is_err() { Err(stop()) } else { breakage.map_or(Ok(Bytes::new()), Err) };
    drop(send.send(last).await);
    drop(send);
    let done = import.await.map_err(|e| ApiError::Internal(e.to_string()))?;
    match ended {
        // A header that cannot be read is told before what came behind it.
        Err(e) if !matches!(done, Err(ImportError::Csv(_) | ImportError::Busy)) => Err(e),
        Ok(()) | Err(_) => finish(done),
    }
}

/// What an upload that did not come whole is answered with, where nothing of it was kept.
pub(super) fn unfinished(e: &std::io::Error) -> ApiError {
    let words = format!("{e}: nothing was kept");
    if e.kind() == ErrorKind::FileTooLarge { ApiError::TooLarge(words) } else { ApiError::Invalid(words) }
}

fn broken_off(e: &MultipartError) -> std::io::Error {
    if form::is_too_large(e) {
        return std::io::Error::new(ErrorKind::FileTooLarge, "the file is larger than 200 MB");
    }
    std::io::Error::new(ErrorKind::UnexpectedEof, format!("the upload broke off ({})", clean(&e.body_text(), 200)))
}

/// A file taken in whole, with its digest; it has no name on the disk.
pub(super) struct Spooled {
    pub file: std::fs::File,
    pub digest: Vec<u8>,
    /// Why the rest of it did not come.
    pub broken: Option<std::io::Error>,
}

pub(super) async fn spool(field: &mut Field<'_>) -> Result<Spooled, ApiError> {
    use std::{
        io::{Seek, Write},
        os::unix::fs::OpenOptionsExt,
    };
    let failed = |e: std::io::Error| ApiError::Internal(format!("an upload could not be kept: {e}"));
    let path = std::env::temp_dir().join(format!("dialdeck-upload-{}", uuid::Uuid::new_v4()));
    let mut file = std::fs::OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
    std::fs::remove_file(&path).map_err(failed)?;
    let mut digest = Sha256::new();
    let broken = loop {
        match field.chunk().await {
            Ok(Some(chunk)) => {
                digest.update(&chunk);
                file.write_all(&chunk).map_err(failed)?;
            }
            Ok(None) => break None,
            Err(e) => break Some(broken_off(&e)),
        }
    };
    file.rewind().map_err(failed)?;
    Ok(Spooled { file, digest: digest.finalize().to_vec(), broken })
}

type Importing = tokio::task::JoinHandle<Result<(crate::domain::id::SourceId, crate::domain::contact::ImportReport), ImportError>>;

/// The country of numbers written without +, where one is given.
pub(super) fn region_of(code: Option<&str>) -> Result<Option<rlibphonenumber::Region>, ApiError> {
    let code = code.map(str::trim).filter(|c| !c.is_empty());
    code.map(|c| phone::region(c).map_err(|e| ApiError::Unprocessable(vec![FieldError::new("region", e.to_string())]))).transpose()
}

/// Runs on its own, so that a client that goes away mid-way leaves a broken import, not half of one.
fn start(api: &Api, caller: &Caller, upload: Upload, file: impl Read + Send + 'static) -> Result<Importing, ApiError> {
    let Upload { name, region, mapping } = upload;
    let region = region_of(region.as_deref())?;
    let import = Import { table: ContactTable::CsvFile, name, region, mapping, size: None, dry_run: false };
    let (desk, actor) = (api.desk.clone(), caller.actor());
    Ok(tokio::spawn(async move { desk.import(actor, import, file, watch::Sender::new(Progress::default()), CancellationToken::new()).await }))
}

fn finish(done: Result<(crate::domain::id::SourceId, crate::domain::contact::ImportReport), ImportError>) -> Answer {
    let (id, report) = done.map_err(|e| match e {
        ImportError::Desk(e) => e.into(),
        e => refused(&e),
    })?;
    let location = [(header::LOCATION, format!("/api/v1/csv/{id}"))];
    let body = json!({ "success": true, "message": format!("{} contacts imported", report.imported), "csvFileId": id, "contactCount": report.imported, "report": report });
    Ok((StatusCode::CREATED, location, Json(body)).into_response())
}

/// What became of a file that was not imported.
fn refused(e: &ImportError) -> ApiError {
    let unprocessable = |words: String| ApiError::Unprocessable(vec![FieldError::new("csvFile", words)]);
    match e {
        ImportError::Csv(CsvError::Io(io)) | ImportError::Broken { why: CsvError::Io(io), .. } if io.kind() == ErrorKind::FileTooLarge => {
            ApiError::TooLarge(e.to_string())
        }
        ImportError::Csv(CsvError::Io(_)) => ApiError::Invalid(format!("{e}: nothing was kept")),
        ImportError::Broken { why: CsvError::Io(_), .. } | ImportError::Cancelled(_) => ApiError::Invalid(e.to_string()),
        ImportError::Csv(_) | ImportError::Broken { .. } => unprocessable(e.to_string()),
        ImportError::Busy => {
            ApiError::RateLimited("as many files of yours are being imported as may be: wait for one to end", std::time::Duration::from_secs(1))
        }
        ImportError::Desk(_) | ImportError::Unfinished(_) => ApiError::Internal(e.to_string()),
    }
}
