//! A contact as imported, and what about it keeps it from being called.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{
    id::ContactId,
    phone::PhoneNumber,
    script::{Fields, key},
};

/// A row of an import that is good to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContact {
    pub id: ContactId,
    /// Line of the file it came from, 1-based; also its place in the calling order.
    pub line: i64,
    pub name: String,
    pub number: PhoneNumber,
    /// Other numbers of the person in the same row: dialled only when somebody asks for them.
    pub alternatives: Vec<PhoneNumber>,
    pub country: String,
    /// Where it may be, as of [`super::place`].
    pub zones: String,
    /// What the file said of that, so that a later table is followed.
    pub said: String,
    /// What of it could not be followed, in words.
    pub remark: Option<String>,
    pub email: String,
    pub company: String,
    pub notes: String,
    pub do_not_call: bool,
    /// When and how the contact agreed to be called, where a profile asks.
    pub consent_at: Option<DateTime<Utc>>,
    pub consent_source: String,
    /// The other columns' values for the script, in the order of their names, which the file keeps once.
    pub extra: Vec<String>,
}

/// A contact as somebody writes it by hand: read by `csv::read_one`. Empty: not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    pub phone: String,
    pub name: String,
    pub email: String,
    pub company: String,
    pub notes: String,
    pub timezone: String,
    pub state: String,
    pub postcode: String,
    pub do_not_call: bool,
    pub consent_at: String,
    pub consent_source: String,
    /// Other columns, for the script.
    pub fields: Vec<(String, String)>,
}

/// What an import did, line by line where it refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    pub imported: u64,
    pub duplicate: u64,
    pub invalid: u64,
    pub do_not_call: u64,
    pub no_zone: u64,
    /// Rows kept of which a cell could not be followed, such as a time zone that is no place.
    #[serde(default)]
    pub remarked: u64,
    /// Of those, and of their cells, the first [`ImportReport::KEPT`].
    #[serde(default)]
    pub remarks: Vec<Reject>,
    /// Numbers that its rows put on the do-not-call list, those of refused rows among them.
    #[serde(default)]
    pub listed: u64,
    /// Bad and duplicate rows, the first [`ImportReport::KEPT`] of them.
    pub rejects: Vec<Reject>,
    /// Of the imported, who was on a do-not-call list before; for whoever looks, not kept.
    #[serde(skip)]
    pub on_list: u64,
    /// Of the imported, people in countries that are not switched on, by country; for whoever looks, not kept.
    #[serde(skip)]
    pub abroad: BTreeMap<String, u64>,
}

impl ImportReport {
    /// Rejects kept with the report; the counts go on beyond it.
    pub const KEPT: usize = 10_000;

    /// `7 people are in countries that are not switched on, and not called (DE 4, PL 3): [compliance] countries`.
    #[must_use]
    pub fn abroad_words(&self) -> Option<String> {
        let n: u64 = self.abroad.values().sum();
        let each: Vec<String> = self.abroad.iter().map(|(country, n)| format!("{country} {n}")).collect();
        let who = if n == 1 { "1 person is".to_owned() } else { format!("{n} people are") };
        (n > 0).then(|| format!("{who} in countries that are not switched on, and not called ({}): [compliance] countries", each.join(", ")))
    }

    pub fn remark(&mut self, line: u64, reason: impl Into<String>) {
        self.remarked += 1;
        if self.remarks.len() < Self::KEPT {
            self.remarks.push(Reject { line, reason: reason.into() });
        }
    }

    pub fn reject(&mut self, line: u64, reason: impl Into<String>) {
        if self.rejects.len() < Self::KEPT {
            self.rejects.push(Reject { line, reason: reason.into() });
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Reject {
    /// 1-based line of the file.
    pub line: u64,
    pub reason: String,
}

/// The script fields of a contact: the named ones win over a column of the same name.
#[must_use]
pub fn script_fields(name: &str, email: &str, company: &str, extra: &serde_json::Map<String, serde_json::Value>) -> Fields {
    let mut fields: Fields = extra.iter().map(|(k, v)| (key(k), v.as_str().map_or_else(|| v.to_string(), str::to_owned))).collect();
    let mut put = |k: &str, v: &str| {
        if !v.trim().is_empty() {
            fields.insert(k.to_owned(), v.trim().to_owned());
        }
    };
    put("name", name);
    put("email", email);
    put("company", company);
    if !fields.contains_key("firstname")
        && let Some(first) = name.split_whitespace().next()
    {
        fields.insert("firstname".to_owned(), first.to_owned());
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_name_is_taken_from_the_name_when_no_column_gives_it() {
        let extra = serde_json::json!({"Plan": "Gold", "Name": "ignored"});
        let f = script_fields("Jane Roe", "", "Acme", extra.as_object().unwrap());
        assert_eq!(f.get("firstname").map(String::as_str), Some("Jane"));
        assert_eq!(f.get("name").map(String::as_str), Some("Jane Roe"));
        assert_eq!(f.get("plan").map(String::as_str), Some("Gold"));
        assert_eq!(f.get("email"), None);
    }
}
