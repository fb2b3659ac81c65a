//! Every call of a campaign with its result and what allowed it, written to wherever it is wanted: the answer to "why
//! did you call this person, and when".

use std::io::{BufWriter, Write};

use chrono::{DateTime, Utc};
use rust_xlsxwriter::{Workbook, XlsxError};
use serde_json::{Value, json};

use crate::{
    desk::{Desk, DeskError},
    domain::{text::clean, zone},
    store::{AuditRow, CallRow, CampaignRow, StoreError},
};

/// Rows read at once.
const PAGE: i64 = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// `raw`: cells that a spreadsheet would run stay as they are.
    Csv {
        raw: bool,
    },
    Jsonl,
    Xlsx,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Io(std::io::Error),
    #[error(transparent)]
    Desk(DeskError),
    #[error(transparent)]
    Sheet(XlsxError),
}

impl From<csv::Error> for ExportError {
    fn from(e: csv::Error) -> Self {
        match e.into_kind() {
            csv::ErrorKind::Io(e) => Self::Io(e),
            other => Self::Io(std::io::Error::other(format!("{other:?}"))),
        }
    }
}

impl From<std::io::Error> for ExportError {
    fn from(e: std::io::Error) -> Self {
        Self::Io(e)
    }
}

impl From<XlsxError> for ExportError {
    fn from(e: XlsxError) -> Self {
        match e {
            XlsxError::IoError(e) => Self::Io(e),
            e => Self::Sheet(e),
        }
    }
}

impl From<StoreError> for ExportError {
    fn from(e: StoreError) -> Self {
        Self::Desk(e.into())
    }
}

/// Writes them all, oldest first; `written` hears how many by now.
///
/// # Errors
/// When the rows cannot be read, or what is written to takes no more.
pub async fn export(desk: &Desk, campaign: &CampaignRow, format: ExportFormat, to: Box<dyn Write + Send>, written: impl Fn(u64)) -> Result<u64, ExportError> {
    let mut sink = Sink::new(format, to)?;
    let (mut after, mut calls) = (None, 0);
    loop {
        let rows = desk.store().calls_after(campaign.id, after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.id);
        for call in &rows {
            let audit = desk.store().audit_of(campaign.user_id, call.id.0).await?;
            sink.write(call, &campaign.name, &audit)?;
            calls += 1;
            written(calls);
        }
    }
    sink.finish()?;
    Ok(calls)
}

type To = BufWriter<Box<dyn Write + Send>>;

/// Where calls go, in one of the formats.
enum Sink {
    Csv { out: Box<csv::Writer<To>>, raw: bool },
    Jsonl(To),
    Xlsx(Box<Sheet>),
}

impl Sink {
    fn new(format: ExportFormat, to: Box<dyn Write + Send>) -> Result<Self, ExportError> {
        let to = BufWriter::new(to);
        match format {
            ExportFormat::Csv { raw } => {
                let mut out = csv::Writer::from_writer(to);
                out.write_record(COLUMNS)?;
                Ok(Self::Csv { out: Box::new(out), raw })
            }
            ExportFormat::Jsonl => Ok(Self::Jsonl(to)),
            ExportFormat::Xlsx => Ok(Self::Xlsx(Box::new(Sheet::new(to)?))),
        }
    }

    fn write(&mut self, call: &CallRow, campaign: &str, audit: &[AuditRow]) -> Result<(), ExportError> {
        match self {
            Self::Csv { out, raw } => {
                let foreign = |text: String| if *raw { text } else { cell(text) };
                Ok(out.write_record(record(call, campaign, audit, foreign))?)
            }
            Self::Jsonl(out) => Ok(writeln!(out, "{}", document(call, campaign, audit))?),
            Self::Xlsx(sheet) => Ok(sheet.write(&record(call, campaign, audit, |text| text))?),
        }
    }

    fn finish(self) -> Result<(), ExportError> {
        match self {
            Self::Csv { mut out, .. } => Ok(out.flush()?),
            Self::Jsonl(mut out) => Ok(out.flush()?),
            Self::Xlsx(sheet) => sheet.finish(),
        }
    }
}

/// A workbook that keeps one row in memory; a second sheet begins where the format has no more rows.
struct Sheet {
    book: Workbook,
    row: u32,
    sheets: usize,
    to: To,
}

impl Sheet {
    /// Rows of a sheet, by the format.
    const ROWS: u32 = 1_048_576;
    /// Letters of a cell, by the format.
    const LETTERS: usize = 32_767;
    /// Columns that are figures.
    const FIGURES: [usize; 3] = [3, 7, 11];

    fn new(to: To) -> Result<Self, XlsxError> {
        let mut sheet = Self { book: Workbook::new(), row: Self::ROWS, sheets: 0, to };
        sheet.page()?;
        Ok(sheet)
    }

    fn page(&mut self) -> Result<(), XlsxError> {
        let page = self.book.add_worksheet_with_constant_memory()?;
        for (column, name) in (0..).zip(COLUMNS) {
            page.write_string(0, column, name)?;
        }
        self.row = 1;
        self.sheets += 1;
        Ok(())
    }

    /// A text is a text to a spreadsheet that reads this, whatever it begins with.
    fn write(&mut self, record: &[String; 22]) -> Result<(), XlsxError> {
        if self.row == Self::ROWS {
            self.page()?;
        }
        let page = self.book.worksheet_from_index(self.sheets - 1)?;
        for (i, text) in record.iter().enumerate() {
            let column = u16::try_from(i).unwrap_or(u16::MAX);
            match text.parse::<f64>() {
                Ok(figure) if Self::FIGURES.contains(&i) => page.write_number(self.row, column, figure)?,
                _ => page.write_string(self.row, column, text.chars().take(Self::LETTERS).collect::<String>())?,
            };
        }
        self.row += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<(), ExportError> {
        self.to.write_all(&self.book.save_to_buffer()?)?;
        Ok(self.to.flush()?)
    }
}

const COLUMNS: [&str; 22] = [
    "call_id",
    "phone_number",
    "contact_name",
    "attempt",
    "status",
    "phase",
    "reason",
    "sip_code",
    "dialled_at",
    "answered_at",
    "ended_at",
    "talk_seconds",
    "outcome",
    "outcome_by",
    "notes",
    "allowed_by",
    // For whoever reads it: what came later stands behind what was there.
    "campaign",
    "agent_says",
    "agent_sure",
    "dialled_there",
    "answered_there",
    "ended_there",
];

/// A moment on the contact's clock, `2026-11-18 12:00 EST`; empty where nobody knows which that is.
fn there(c: &CallRow, at: Option<DateTime<Utc>>) -> String {
    let zone = zone::parse_key(&c.zones).and_then(|z| z.first().copied());
    at.zip(zone).map_or_else(String::new, |(at, zone)| at.with_timezone(&zone).format("%F %H:%M %Z").to_string())
}

/// `foreign`: what becomes of texts that strangers wrote.
fn record(c: &CallRow, campaign: &str, audit: &[AuditRow], foreign: impl Fn(String) -> String) -> [String; 22] {
    let time = |t: Option<DateTime<Utc>>| t.map_or_else(String::new, |t| t.to_rfc3339());
    let allowed = audit.iter().find(|a| a.action == "call_armed").map_or_else(String::new, |a| a.details.0.to_string());
    [
        c.id.to_string(),
        c.phone_number.clone(),
        foreign(c.contact_name.clone()),
        c.attempt.to_string(),
        c.state.wire().to_owned(),
        c.state.words().to_owned(),
        foreign(c.reason.clone()),
        c.sip_code.map_or_else(String::new, |s| s.to_string()),
        time(c.armed_at),
        time(c.answered_at),
        time(c.completed_at),
        c.call_duration.to_string(),
        c.outcome.map_or("", |o| o.as_str()).to_owned(),
        foreign(c.outcome_by.clone().unwrap_or_default()),
        foreign(c.notes.clone()),
        allowed,
        foreign(clean(campaign, 200)),
        c.suggestion.map_or("", |o| o.label()).to_owned(),
        c.suggestion_confidence.map_or_else(String::new, |sure| format!("{:.0} %", sure * 100.0)),
        there(c, c.armed_at),
        there(c, c.answered_at),
        there(c, c.completed_at),
    ]
}

/// A cell that a spreadsheet would run as a formula is text to it.
fn cell(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

fn document(c: &CallRow, campaign: &str, audit: &[AuditRow]) -> Value {
    json!({
        "callId": c.id, "phoneNumber": c.phone_number, "contactName": c.contact_name, "attempt": c.attempt, "status": c.state.wire(),
        "phase": c.state, "reason": c.reason, "sipCode": c.sip_code, "dialledAt": c.armed_at, "answeredAt": c.answered_at, "endedAt": c.completed_at,
        "talkSeconds": c.call_duration, "outcome": c.outcome, "outcomeBy": c.outcome_by, "notes": c.notes, "evidence": audit,
        "campaign": campaign, "agentSays": c.suggestion, "agentSure": c.suggestion_confidence, "dialledThere": there(c, c.armed_at),
        "answeredThere": there(c, c.answered_at), "endedThere": there(c, c.completed_at),
    })
}
