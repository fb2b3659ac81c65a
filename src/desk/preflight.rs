//! What a start finds, shown before it.

use chrono::{DateTime, Utc};

use super::{Desk, DeskError};
use crate::{
    domain::{
        contact,
        script::{self, Script},
    },
    store::{CampaignRow, FillContact},
};

/// What a start found: shown before and with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Preflight {
    pub contacts: i64,
    pub do_not_call: i64,
    /// Contacts that lack a field of the script, among the first looked at.
    pub missing_fields: Vec<String>,
    pub contacts_without_fields: i64,
    pub dialable_now: i64,
    /// When the first call may be made, if not now, and why.
    pub waiting_until: Option<DateTime<Utc>>,
    pub why: String,
}

/// Contacts looked at for missing script fields before a start.
const SAMPLE: i64 = 5000;

impl Desk {
    /// What a start finds, in one look.
    pub async fn preflight(&self, row: &CampaignRow) -> Result<Preflight, DeskError> {
        let sample = match row.source_id() {
            Some(id) => self.store.sample_contacts(id, SAMPLE).await?,
            None => Vec::new(),
        };
        let (missing, without) = missing_fields(row.script(), &sample);
        let why = self.explain(row).await?;
        Ok(Preflight {
            contacts: why.people.contacts,
            do_not_call: why.waiting.do_not_call,
            missing_fields: missing,
            contacts_without_fields: without,
            // An engine may have taken some already.
            dialable_now: why.waiting.dialable_now + row.counts.processing,
            waiting_until: why.until,
            why: why.message,
        })
    }
}

/// The script's needs that a sample of contacts does not meet: the fields, and how many contacts lack one.
fn missing_fields(script_text: &str, contacts: &[FillContact]) -> (Vec<String>, i64) {
    let required = Script::parse(script_text).required();
    let mut lacking: Vec<String> = Vec::new();
    let mut count = 0;
    for c in contacts {
        let fields = contact::script_fields(&c.name, &c.email, &c.company, &c.fields);
        let missing: Vec<_> = required.iter().filter(|f| fields.get(&script::key(f)).is_none_or(|v| v.trim().is_empty())).collect();
        count += i64::from(!missing.is_empty());
        for field in missing {
            if !lacking.contains(field) {
                lacking.push(field.clone());
            }
        }
    }
    (lacking, count)
}
