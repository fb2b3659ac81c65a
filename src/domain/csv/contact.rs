//! A row read as a contact: its number, where it is, what it says of calling, and all that is wrong with it.

use std::{borrow::Cow, io::Read};

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};

use super::{ContactFile, Field, headers, refusal};
use crate::domain::{
    contact::NewContact,
    id::ContactId,
    phone::{Parsed, PhoneNumber},
    place::{self, Said},
    text::{LONGEST_NOTE, clean},
};

/// What is wrong with a field of a row.
pub(super) struct Fault {
    pub(super) field: Field,
    pub(super) reason: String,
}

impl<R: Read> ContactFile<R> {
    /// # Errors
    /// All that is wrong with the row.
    pub(super) fn contact(&self, line: u64) -> Result<NewContact, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut numbers = self.right_numbers(&self.columns.phones);
        let first = numbers.next();
        if first.is_none() {
            faults.push(Fault { field: Field::Phone, reason: self.no_number() });
        }
        if let Some(i) = self.columns.permissions.iter().find(|i| refusal::forbids(&self.text(**i)).is_none()) {
            let reason = format!("\"{}\" says \"{}\": neither yes nor no", clean(&self.headers[*i], 40), clean(&self.text(*i), 40));
            faults.push(Fault { field: Field::MayCall, reason });
        }
        let consent_at = self.consent_at().unwrap_or_else(|reason| {
            faults.push(Fault { field: Field::ConsentAt, reason });
            None
        });
        let Some(first) = first.filter(|_| faults.is_empty()) else { return Err(faults) };
        let mut alternatives: Vec<PhoneNumber> = Vec::new();
        for other in numbers.chain(self.right_numbers(&self.columns.others)) {
            if other.number != first.number && !alternatives.contains(&other.number) {
                alternatives.push(other.number);
            }
        }
        let said = self.said(&first.country);
        let (zones, remark) = place::whereabouts(&first, &said);
        let said_in = self.said_in();
        let sure = |i: &&usize| said.state.is_empty() && place::is_surely_state(&headers::words(&self.headers[**i]));
        let unread = || self.columns.states.iter().find(sure).and_then(|i| place::unknown_state(&self.text(*i), &first.country));
        let unread_code =
            || self.columns.postcodes.first().filter(|_| said.state.is_empty()).and_then(|i| place::unknown_postcode(&self.text(*i), &first.country));
        let remark = remark.or_else(unread).or_else(unread_code);
        let remark = said_in.map(|i| format!("not to be called, as \"{}\" says: \"{}\"", clean(&self.headers[i], 40), clean(&self.text(i), 60))).or(remark);
        Ok(NewContact {
            id: ContactId::fresh(),
            line: i64::try_from(line).unwrap_or(i64::MAX),
            name: self.name(),
            number: first.number,
            alternatives,
            country: first.country,
            zones,
            said: said.text(),
            remark,
            email: clean(self.value(Field::Email).trim(), 254),
            company: clean(self.value(Field::Company).trim(), 200),
            notes: clean(self.value(Field::Notes).trim(), LONGEST_NOTE),
            consent_at,
            consent_source: clean(self.value(Field::ConsentSource).trim(), 200),
            do_not_call: said_in.is_some() || self.must_not_be_called(),
            extra: self.extra(),
        })
    }

    /// What the row says of where the person is.
    fn said(&self, country: &str) -> Said {
        let named = || self.columns.states.iter().find_map(|i| place::state(&self.text(*i), country));
        let state = named().or_else(|| self.columns.postcodes.iter().find_map(|i| place::state_of_postcode(&self.text(*i), country)));
        Said::new(&self.value(Field::Zone), state)
    }

    /// Whether any column says so.
    pub(super) fn must_not_be_called(&self) -> bool {
        self.columns.refusals.iter().any(|i| refusal::says_no(&self.text(*i)))
            || self.columns.permissions.iter().any(|i| refusal::forbids(&self.text(*i)) == Some(true))
            || self.said_in().is_some()
    }

    /// The first column in which somebody has written it, in whatever column that is.
    fn said_in(&self) -> Option<usize> {
        self.columns.spoken.iter().copied().find(|i| {
            let text = self.text(*i);
            refusal::is_said(&text) || (self.columns.marked.contains(i) && refusal::is_a_mark(&text))
        })
    }

    fn numbers<'a>(&'a self, columns: &'a [usize]) -> impl Iterator<Item = Parsed> + 'a {
        columns.iter().flat_map(|i| PhoneNumber::all(&self.text(*i), self.region))
    }

    /// The same without those beside which somebody has written that they are wrong.
    fn right_numbers<'a>(&'a self, columns: &'a [usize]) -> impl Iterator<Item = Parsed> + 'a {
        columns.iter().filter(|i| !refusal::is_wrong(&self.text(**i))).flat_map(|i| PhoneNumber::dialable(&self.text(*i), self.region))
    }

    pub(super) fn every_number(&self) -> impl Iterator<Item = Parsed> + '_ {
        self.numbers(&self.columns.phones).chain(self.numbers(&self.columns.others))
    }

    /// What is wrong with the first of its phones that is not empty.
    fn no_number(&self) -> String {
        let texts = self.columns.phones.iter().map(|i| self.text(*i));
        let text = texts.into_iter().find(|t| !t.trim().is_empty()).unwrap_or_default();
        match PhoneNumber::parse(&text, self.region) {
            Err(e) if text.trim().is_empty() => e.to_string(),
            Err(e) => format!("{e}: \"{}\"", clean(&text, 40)),
            Ok(_) => format!("marked as a wrong number: \"{}\"", clean(&text, 40)),
        }
    }

    fn extra(&self) -> Vec<String> {
        let mut values: Vec<String> = self.script_columns().map(|i| clean(self.text(i).trim(), 2000)).collect();
        values.truncate(values.iter().rposition(|v| !v.is_empty()).map_or(0, |i| i + 1));
        values
    }

    fn name(&self) -> String {
        let full = self.value(Field::Name);
        let joined =
            if full.trim().is_empty() { Cow::Owned(format!("{} {}", self.value(Field::FirstName).trim(), self.value(Field::LastName).trim())) } else { full };
        clean(joined.trim(), 200)
    }

    /// A day or a moment; a consent that cannot be read is none, and is told.
    fn consent_at(&self) -> Result<Option<DateTime<Utc>>, String> {
        let text = self.value(Field::ConsentAt);
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let day = |t: &str| t.parse::<NaiveDate>().ok().map(|d| d.and_time(NaiveTime::MIN).and_utc());
        let moment = text.parse::<DateTime<Utc>>().ok().or_else(|| day(text));
        // A year that no database column holds is none either.
        let moment = moment.filter(|t| (1900..=2200).contains(&t.year()));
        moment.map(Some).ok_or_else(|| format!("consent date \"{}\": write it as 2026-01-31 or 2026-01-31T10:00:00Z", clean(text, 40)))
    }

    fn value(&self, field: Field) -> Cow<'_, str> {
        self.columns.fields.iter().position(|c| *c == Some(field)).map(|i| self.text(i)).unwrap_or_default()
    }
}
