//! One contact written by hand, read as a row of a file is: the same columns, words, zones and laws.

use std::io::Empty;

use rlibphonenumber::Region;

use super::{ContactFile, CsvError, Field, columns::assign, records::Records};
use crate::domain::{
    FieldError,
    contact::{NewContact, Written},
    place, script, text, zone,
};

/// The longest value of a column for the script, letters.
const LONGEST_VALUE: usize = 2000;

impl Field {
    /// The field's name in a request.
    fn wire(self) -> &'static str {
        match self {
            Self::Phone => "phoneNumber",
            Self::Name | Self::FirstName | Self::LastName => "name",
            Self::Email => "email",
            Self::Company => "company",
            Self::Notes => "notes",
            Self::Zone => "timezone",
            Self::State => "state",
            Self::Postcode => "postcode",
            Self::DoNotCall => "doNotCall",
            Self::MayCall => "fields",
            Self::ConsentAt => "consentAt",
            Self::ConsentSource => "consentSource",
        }
    }
}

/// Reads a contact as an import would.
///
/// # Errors
/// Every field that is wrong, at once. Unlike an import it refuses a zone and a state that are none: who writes
/// one contact can mend it.
pub fn read_one(written: &Written, region: Option<Region>) -> Result<NewContact, Vec<FieldError>> {
    let mut errors = bounds(written);
    let own = own(written);
    let mapping = own.iter().map(|(f, _)| (f.name().to_owned(), f.name().to_owned())).collect();
    let others = written.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let (headers, cells): (Vec<String>, Vec<&str>) = own.iter().map(|(f, v)| (f.name(), *v)).chain(others).map(|(n, v)| (n.to_owned(), v)).unzip();
    let unclear = |columns: &super::Columns| columns.unclear.first().map(|i| CsvError::Unclear(headers[*i].clone()));
    let columns = match assign(&headers, &mapping).and_then(|c| unclear(&c).map_or(Ok(c), Err)) {
        Ok(columns) => columns,
        Err(CsvError::Unclear(name)) => {
            errors.push(FieldError::new("fields", format!("\"{name}\" may say who must not be called, and it cannot be told: use doNotCall")));
            return Err(errors);
        }
        Err(e) => {
            errors.push(FieldError::new("fields", e.to_string()));
            return Err(errors);
        }
    };
    let file = ContactFile::<Empty> { records: Records::of(&cells), headers, columns, region, rows: 0 };
    let read = file.contact(1);
    let country = read.as_ref().map(|c| c.country.clone()).unwrap_or_default();
    errors.extend(place_errors(written, &country));
    match read {
        Ok(contact) if errors.is_empty() => Ok(contact),
        Ok(_) => Err(errors),
        Err(faults) => {
            errors.extend(faults.into_iter().map(|f| FieldError::new(f.field.wire(), f.reason)));
            Err(errors)
        }
    }
}

/// The columns with a place of their own that are given.
fn own(w: &Written) -> Vec<(Field, &str)> {
    let given = [
        (Field::Name, &w.name),
        (Field::Email, &w.email),
        (Field::Company, &w.company),
        (Field::Notes, &w.notes),
        (Field::Zone, &w.timezone),
        (Field::State, &w.state),
        (Field::Postcode, &w.postcode),
        (Field::ConsentAt, &w.consent_at),
        (Field::ConsentSource, &w.consent_source),
    ];
    let mut own = vec![(Field::Phone, w.phone.as_str())];
    own.extend(given.into_iter().filter(|(_, v)| !v.trim().is_empty()).map(|(f, v)| (f, v.as_str())));
    own.extend(w.do_not_call.then_some((Field::DoNotCall, "yes")));
    own
}

fn bounds(w: &Written) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let bounded = [
        ("name", &w.name, 200),
        ("email", &w.email, 254),
        ("company", &w.company, 200),
        ("notes", &w.notes, text::LONGEST_NOTE),
        ("consentSource", &w.consent_source, 200),
        ("timezone", &w.timezone, 80),
    ];
    errors.extend(bounded.iter().filter_map(|(field, text, max)| text::complaint(field, text, *max)));
    for (name, value) in &w.fields {
        if script::key(name).is_empty() || name.chars().count() > script::LONGEST_NAME {
            errors.push(FieldError::new("fields", format!("a name has 1 to {} letters or digits", script::LONGEST_NAME)));
        } else if value.chars().count() > LONGEST_VALUE {
            errors.push(FieldError::new("fields", format!("\"{name}\" is longer than {LONGEST_VALUE} characters")));
        }
    }
    if w.fields.len() > super::records::COLUMNS - Field::ALL.len() {
        errors.push(FieldError::new("fields", "are too many"));
    }
    errors
}

/// A zone and a state that are none.
fn place_errors(w: &Written, country: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if country.is_empty() {
        return errors;
    }
    let zone = w.timezone.trim();
    if !zone.is_empty() && zone::meant(zone, country).is_empty() {
        errors.push(FieldError::new("timezone", "is no place: write it as Area/City"));
    }
    errors.extend(place::unknown_state(&w.state, country).map(|why| FieldError::new("state", why)));
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phone::{self, PhoneNumber};

    fn written(phone: &str) -> Written {
        Written { phone: phone.to_owned(), ..Written::default() }
    }

    fn wrong(w: &Written) -> Vec<&'static str> {
        read_one(w, phone::region("US").ok()).unwrap_err().iter().map(|e| e.field).collect()
    }

    #[test]
    fn a_contact_by_hand_is_read_as_a_row() {
        let fields = vec![("Plan".to_owned(), "Gold".to_owned()), ("Mobile".to_owned(), "202-555-0143".to_owned())];
        let w = Written { name: "Doe, \"John\"".into(), state: "FL".into(), consent_at: "2026-01-31".into(), fields, ..written("(212) 555-0142") };
        let c = read_one(&w, phone::region("US").ok()).unwrap();
        assert_eq!((c.number.as_str(), c.name.as_str()), ("+12125550142", "Doe, \"John\""));
        assert_eq!(c.zones, "America/Chicago,America/New_York;US-FL");
        assert_eq!(c.alternatives.iter().map(PhoneNumber::as_str).collect::<Vec<_>>(), ["+12025550143"]);
        assert!(c.consent_at.is_some() && !c.do_not_call);
    }

    #[test]
    fn a_column_that_says_no_counts_as_in_a_file() {
        let opt_out = |value: &str| Written { fields: vec![("Opt-Out".to_owned(), value.to_owned())], ..written("2025550142") };
        assert!(read_one(&opt_out("yes"), phone::region("US").ok()).unwrap().do_not_call);
        assert!(!read_one(&opt_out("no"), phone::region("US").ok()).unwrap().do_not_call);
    }

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let w = Written { name: "\u{200b}\u{200b}".into(), consent_at: "soon".into(), notes: "x".repeat(4001), ..written("12") };
        assert_eq!(wrong(&w), ["name", "notes", "phoneNumber", "consentAt"]);
        let w = Written { timezone: "Mars/Base".into(), state: "Atlantis".into(), ..written("2025550142") };
        assert_eq!(wrong(&w), ["timezone", "state"]);
    }
}
