//! Reports on calls by REST: summary, transcript, who answered. One a call, and one a second.

use chrono::Duration;

use super::{Actor, Desk, DeskError, audit};
use crate::{
    domain::{
        FieldError,
        id::CallId,
        outcome::{Line, Report, Who},
        text::{self, LONGEST_NOTE, clean},
    },
    store::Lane,
};

/// Between two reports on one call.
const PAUSE: Duration = Duration::seconds(1);
/// The longest word for who speaks, and line of a transcript, letters.
const LONGEST_ROLE: usize = 40;
const LONGEST_LINE: usize = 4000;

impl Desk {
    /// Keeps a report on a call; it stands for the one before, and an operator's word stands before an agent's.
    ///
    /// # Errors
    /// When a field is wrong, there is no such call, or it was reported on within the second.
    pub async fn report(&self, actor: Actor, call: CallId, report: Report, who: Who) -> Result<(), DeskError> {
        let report = checked(report)?;
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    tx.call(call).await?.filter(|r| r.user_id == actor.owner).ok_or(DeskError::NotFound("call"))?;
                    if tx.report(call).await?.is_some_and(|r| r.at <= now && now - r.at < PAUSE) {
                        return Err(DeskError::Busy("one report on a call and second"));
                    }
                    tx.put_report(call, &report, who, &actor.name, now).await?;
                    let details = serde_json::json!({ "who": who, "lines": report.transcript.len(), "answeredBy": report.answered_by });
                    audit(tx, &actor, now, "call_reported", Some(call.0), &details).await
                })
            })
            .await
    }
}

fn checked(report: Report) -> Result<Report, DeskError> {
    let mut errors = Vec::new();
    errors.extend(report.summary.as_deref().and_then(|s| text::complaint("summary", s, LONGEST_NOTE)));
    if let Some(by) = report.answered_by.as_deref().filter(|b| !matches!(*b, "human" | "machine" | "unknown")) {
        errors.push(FieldError::new("answeredBy", format!("\"{}\" is none of human, machine, unknown", clean(by, 20))));
    }
    if report.transcript.iter().any(|l| !text::is_name(&l.role, LONGEST_ROLE)) {
        errors.push(FieldError::new("transcript", format!("each line has a role of 1 to {LONGEST_ROLE} characters")));
    }
    if report.transcript.iter().any(|l| l.text.chars().count() > LONGEST_LINE) {
        errors.push(FieldError::new("transcript", format!("a line has at most {LONGEST_LINE} characters")));
    }
    if !errors.is_empty() {
        return Err(DeskError::Invalid(errors));
    }
    let line = |l: Line| Line { role: clean(l.role.trim(), LONGEST_ROLE), text: clean(l.text.trim(), LONGEST_LINE), at: l.at };
    Ok(Report {
        summary: report.summary.map(|s| clean(s.trim(), LONGEST_NOTE)),
        answered_by: report.answered_by,
        transcript: report.transcript.into_iter().map(line).collect(),
    })
}
