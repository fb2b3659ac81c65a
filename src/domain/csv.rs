//! Streaming import of contact files: RFC 4180 with what people really send. BOM, CRLF, `;` and
//! tab, quoted line breaks, header names in many spellings, do-not-call columns in every wording.

use std::{
    borrow::Cow,
    io::{BufRead, BufReader, Read},
};

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use rlibphonenumber::Region;

use super::{
    contact::NewContact,
    id::ContactId,
    phone::PhoneNumber,
    place::{self, Said},
    script,
    text::clean,
};

/// What makes a file unreadable as a whole; a bad row is never one of these.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    #[error("the file is empty")]
    Empty,
    #[error("no phone column among: {headers}. Name it with --map phone=COLUMN, or rename the header to \"phone\"")]
    NoPhoneColumn { headers: String },
    #[error("--map names a column \"{0}\" that the file does not have")]
    NoSuchColumn(String),
    #[error("--map knows the fields {known}; \"{0}\" is none of them", known = Field::NAMES)]
    NoSuchField(String),
    #[error("cannot read the file: {0}")]
    Read(#[from] csv::Error),
    #[error("cannot read the file: {0}")]
    Io(#[from] std::io::Error),
}

/// The columns with a meaning of their own; all others serve the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Phone,
    Name,
    FirstName,
    LastName,
    Email,
    Company,
    Notes,
    Zone,
    State,
    Postcode,
    DoNotCall,
    ConsentAt,
    ConsentSource,
}

impl Field {
    pub const ALL: [Self; 13] = [
        Self::Phone,
        Self::Name,
        Self::FirstName,
        Self::LastName,
        Self::Email,
        Self::Company,
        Self::Notes,
        Self::Zone,
        Self::State,
        Self::Postcode,
        Self::DoNotCall,
        Self::ConsentAt,
        Self::ConsentSource,
    ];
    const NAMES: &'static str =
        "phone, name, first_name, last_name, email, company, notes, timezone, state, postcode, do_not_call, consent_at, consent_source, ignore";

    #[must_use]
    pub fn name(self) -> &'static str {
        self.aliases()[0]
    }

    /// Header spellings, normalised by [`script::key`]; whole names only, never a part of one
    /// ("Cancelled" is no cell phone, "Account Number" no number to dial).
    fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Phone => &[
                "phone",
                "phonenumber",
                "mobile",
                "mobilephone",
                "mobilenumber",
                "cell",
                "cellphone",
                "cellnumber",
                "telephone",
                "telephonenumber",
                "tel",
                "number",
                "contactnumber",
                "contactphone",
                "phoneno",
                "mobileno",
                "primaryphone",
                "phone1",
                "msisdn",
                "workphone",
                "homephone",
                "businessphone",
                "telefon",
                "handy",
                "telefono",
                "telephonenr",
                "to",
            ],
            Self::Name => &["name", "fullname", "contactname", "contact", "customername", "customer", "leadname", "displayname"],
            Self::FirstName => &["firstname", "first", "givenname", "forename", "vorname"],
            Self::LastName => &["lastname", "last", "surname", "familyname", "nachname"],
            Self::Email => &["email", "emailaddress", "mail", "emailid", "contactemail"],
            Self::Company => &["company", "companyname", "organisation", "organization", "business", "employer", "firma"],
            Self::Notes => &["notes", "note", "comment", "comments", "remarks"],
            Self::ConsentAt => &["consentat", "consentdate", "consenttime", "optedinat", "optinat", "optindate", "consentgivenat"],
            Self::ConsentSource => &["consentsource", "optinsource", "consentby", "consentchannel"],
            Self::Zone => &["timezone", "zone", "tz", "iana", "timezonename", "contacttimezone", "leadtimezone", "timezoneiana", "zeitzone"],
            Self::State => place::STATE_COLUMNS,
            Self::Postcode => place::POSTCODE_COLUMNS,
            Self::DoNotCall => &[
                "donotcall",
                "dnc",
                "dnd",
                "donotcontact",
                "donotdisturb",
                "dontcall",
                "dontcontact",
                "nocall",
                "nocalls",
                "nocontact",
                "optout",
                "optedout",
                "unsubscribed",
                "unsubscribe",
                "suppress",
                "suppressed",
                "blocked",
                "dncflag",
                "donotcallflag",
                "isdnc",
                "dnclist",
            ],
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let key = script::key(name);
        Self::ALL.into_iter().find(|f| f.aliases().contains(&key.as_str()))
    }
}

/// `phone=Mobile` pairs that override the guess; the field [`IGNORE`] keeps a column from being taken
/// for anything (scripts may still use it).
pub type Mapping = Vec<(String, String)>;

/// See [`Mapping`].
pub const IGNORE: &str = "ignore";

/// A file being read: its headers, which column means what, and its rows one by one.
pub struct ContactFile<R: Read> {
    rows: csv::Reader<Lines<BufReader<R>>>,
    headers: Vec<String>,
    columns: Vec<Option<Field>>,
    region: Option<Region>,
    record: csv::ByteRecord,
}

/// One row: a contact to keep, or the line and the reason it is not kept.
#[derive(Debug)]
pub enum Row {
    Good(Box<NewContact>),
    Bad { line: u64, reason: String },
}

impl<R: Read> ContactFile<R> {
    /// Reads the header and decides the columns.
    ///
    /// # Errors
    /// When there is no header, no phone column, or a mapping that does not fit.
    pub fn open(read: R, mapping: &Mapping, region: Option<Region>) -> Result<Self, CsvError> {
        let mut input = BufReader::with_capacity(1 << 17, read);
        if input.fill_buf()?.starts_with(&[0xEF, 0xBB, 0xBF]) {
            input.consume(3);
        }
        let delimiter = sniff(input.fill_buf()?);
        let mut rows = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(Lines::new(input));
        let mut record = csv::ByteRecord::new();
        if !rows.read_byte_record(&mut record)? {
            return Err(CsvError::Empty);
        }
        let headers: Vec<String> = record.iter().map(|h| clean(decode(h).trim(), 200)).collect();
        let columns = assign(&headers, mapping)?;
        Ok(Self { rows, headers, columns, region, record })
    }

    /// Header names with the field each was taken for.
    pub fn columns(&self) -> impl Iterator<Item = (&str, Option<Field>)> {
        self.headers.iter().map(String::as_str).zip(self.columns.iter().copied())
    }

    /// Bytes read so far, for a progress bar.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.rows.get_ref().taken
    }

    /// The next row that is not blank; `None` at the end.
    pub fn next_row(&mut self) -> Option<Row> {
        loop {
            let start = self.rows.position().byte();
            let read = self.rows.read_byte_record(&mut self.record);
            let line = self.rows.get_mut().line_at(start);
            return match read {
                Ok(false) => None,
                Ok(true) if self.record.iter().all(|v| v.trim_ascii().is_empty()) => continue,
                Ok(true) => Some(self.contact(line).map_or_else(|reason| Row::Bad { line, reason }, |c| Row::Good(Box::new(c)))),
                Err(e) => Some(Row::Bad { line, reason: clean(&e.to_string(), 200) }),
            };
        }
    }

    fn contact(&self, line: u64) -> Result<NewContact, String> {
        let parsed = PhoneNumber::parse(&self.value(Field::Phone), self.region).map_err(|e| format!("{e}: \"{}\"", clean(&self.value(Field::Phone), 40)))?;
        let said = self.said(&parsed.country);
        let (zones, remark) = place::whereabouts(&parsed, &said);
        let remark = remark.or_else(|| place::unknown_state(&self.value(Field::State), &parsed.country));
        let mut extra = serde_json::Map::new();
        for (i, header) in self.headers.iter().enumerate() {
            let value = self.record.get(i).map(decode).unwrap_or_default();
            if !value.trim().is_empty()
                && !header.is_empty()
                && !matches!(self.columns[i], Some(Field::Phone | Field::DoNotCall | Field::Name | Field::Email | Field::Company))
            {
                extra.insert(header.clone(), clean(value.trim(), 2000).into());
            }
        }
        Ok(NewContact {
            id: ContactId::fresh(),
            line: i64::try_from(line).unwrap_or(i64::MAX),
            name: self.name(),
            number: parsed.number,
            country: parsed.country,
            zones,
            said: said.text(),
            remark,
            email: clean(self.value(Field::Email).trim(), 254),
            company: clean(self.value(Field::Company).trim(), 200),
            notes: clean(self.value(Field::Notes).trim(), 2000),
            consent_at: self.consent_at()?,
            consent_source: clean(self.value(Field::ConsentSource).trim(), 200),
            do_not_call: says_no(&self.value(Field::DoNotCall)),
            extra,
        })
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

    /// What the row says of where the person is.
    fn said(&self, country: &str) -> Said {
        let state = place::state(&self.value(Field::State), country).or_else(|| place::state_of_postcode(&self.value(Field::Postcode), country));
        Said::new(&self.value(Field::Zone), state)
    }

    fn value(&self, field: Field) -> Cow<'_, str> {
        self.columns.iter().position(|c| *c == Some(field)).and_then(|i| self.record.get(i)).map(decode).unwrap_or_default()
    }
}

/// Hands bytes on with CRLF as LF and remembers where lines begin, because the csv reader's own
/// line count lags behind by the line breaks it has not yet swallowed.
struct Lines<R> {
    input: R,
    /// Bytes taken from the file.
    taken: u64,
    /// Bytes handed on.
    given: u64,
    carriage: bool,
    /// Line breaks before the front of `breaks`, and the offsets of later ones among bytes given.
    line: u64,
    breaks: std::collections::VecDeque<u64>,
}

impl<R: BufRead> Lines<R> {
    fn new(input: R) -> Self {
        Self { input, taken: 0, given: 0, carriage: false, line: 1, breaks: std::collections::VecDeque::new() }
    }

    /// The line of the first row at or after byte `offset`: blank lines there are skipped.
    fn line_at(&mut self, mut offset: u64) -> u64 {
        while let Some(at) = self.breaks.front().copied().filter(|at| *at <= offset) {
            self.breaks.pop_front();
            self.line += 1;
            offset += u64::from(at == offset);
        }
        self.line
    }

    fn give(&mut self, byte: u8, out: &mut [u8], n: &mut usize) {
        if byte == b'\n' {
            self.breaks.push_back(self.given);
        }
        out[*n] = byte;
        *n += 1;
        self.given += 1;
    }
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let (mut n, mut used) = (0, 0);
        let chunk = self.input.fill_buf()?;
        let chunk = chunk[..chunk.len().min(out.len())].to_vec();
        // Two bytes may be handed on for one taken: a held carriage return and what follows it.
        while used < chunk.len() && n + 1 < out.len() {
            let byte = chunk[used];
            used += 1;
            if std::mem::take(&mut self.carriage) && byte != b'\n' {
                self.give(b'\n', out, &mut n);
            }
            if byte == b'\r' {
                self.carriage = true;
            } else {
                self.give(byte, out, &mut n);
            }
        }
        if chunk.is_empty() && std::mem::take(&mut self.carriage) && !out.is_empty() {
            self.give(b'\n', out, &mut n);
        }
        self.input.consume(used);
        self.taken += used as u64;
        // A chunk that was one carriage return gives nothing yet, which must not look like the end.
        if n == 0 && used > 0 { self.read(out) } else { Ok(n) }
    }
}

/// The separator that stands most often in the header line, outside quotes.
fn sniff(head: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [0usize; 3];
    for b in head {
        match b {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            b',' if !quoted => counts[0] += 1,
            b';' if !quoted => counts[1] += 1,
            b'\t' if !quoted => counts[2] += 1,
            _ => {}
        }
    }
    let best = (0..3).rev().max_by_key(|i| counts[*i]).unwrap_or(0);
    b",;\t"[best]
}

fn assign(headers: &[String], mapping: &Mapping) -> Result<Vec<Option<Field>>, CsvError> {
    let mut columns = vec![None; headers.len()];
    let mut ignored = Vec::new();
    for (field, column) in mapping {
        let at = headers.iter().position(|h| script::key(h) == script::key(column)).ok_or_else(|| CsvError::NoSuchColumn(column.clone()))?;
        if field == IGNORE {
            ignored.push(at);
        } else {
            columns[at] = Some(Field::parse(field).ok_or_else(|| CsvError::NoSuchField(field.clone()))?);
        }
    }
    // The order of aliases is the order of trust: "Phone" wins over "Number" wherever it stands.
    for field in Field::ALL {
        if columns.contains(&Some(field)) {
            continue;
        }
        let found =
            field.aliases().iter().find_map(|a| headers.iter().position(|h| script::key(h) == *a).filter(|i| columns[*i].is_none() && !ignored.contains(i)));
        if let Some(at) = found {
            columns[at] = Some(field);
        }
    }
    if columns.contains(&Some(Field::Phone)) {
        return Ok(columns);
    }
    Err(CsvError::NoPhoneColumn { headers: clean(&headers.join(", "), 300) })
}

/// UTF-8, else Windows-1252 read as Latin-1: what a spreadsheet's "CSV" export is.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| Cow::Owned(bytes.iter().map(|b| char::from(*b)).collect()), Cow::Borrowed)
}

/// Whether a do-not-call column says "do not call". Anything but a clear "no" does: this errs
/// towards not phoning.
fn says_no(value: &str) -> bool {
    let key = script::key(value);
    !matches!(key.as_str(), "" | "0" | "false" | "no" | "n" | "f" | "off" | "none" | "na" | "null" | "callok" | "ok" | "allowed" | "nein" | "non")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phone;

    fn read(text: &'static str, mapping: &[(&str, &str)]) -> Result<Vec<Row>, CsvError> {
        let mapping = mapping.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let mut file = ContactFile::open(text.as_bytes(), &mapping, phone::region("US").ok())?;
        Ok(std::iter::from_fn(|| file.next_row()).collect())
    }

    fn good(row: &Row) -> &NewContact {
        match row {
            Row::Good(c) => c,
            Row::Bad { line, reason } => panic!("line {line}: {reason}"),
        }
    }

    #[test]
    fn bom_crlf_quotes_and_line_breaks_in_quotes() {
        let rows = read("\u{feff}Name,Phone\r\n\"Doe, John\",(202) 555-0142\r\n\"Two\nlines\",+1 202 555 0143\r\n", &[]).unwrap();
        assert_eq!(good(&rows[0]).name, "Doe, John");
        assert_eq!(good(&rows[0]).number.as_str(), "+12025550142");
        assert_eq!((good(&rows[1]).name.as_str(), good(&rows[1]).line), ("Two lines", 3));
    }

    #[test]
    fn semicolons_tabs_and_latin1() {
        assert_eq!(good(&read("name;mobile\nA;202-555-0142\n", &[]).unwrap()[0]).name, "A");
        assert_eq!(good(&read("name\tcell phone\nA\t202-555-0142\n", &[]).unwrap()[0]).name, "A");
        let mut file = ContactFile::open(&b"name,phone\nJos\xe9,+12025550142\n"[..], &vec![], None).unwrap();
        assert!(matches!(file.next_row(), Some(Row::Good(c)) if c.name == "José"));
    }

    #[test]
    fn headers_are_matched_whole() {
        let rows = read("Account Number,Cancelled,First Name,Last Name,Phone\n4471,no,Jane,Roe,202-555-0142\n", &[]).unwrap();
        let c = good(&rows[0]);
        assert_eq!((c.name.as_str(), c.number.as_str()), ("Jane Roe", "+12025550142"));
        assert_eq!(c.extra.get("Account Number").and_then(|v| v.as_str()), Some("4471"));
        assert!(matches!(read("a,b\n1,2\n", &[]), Err(CsvError::NoPhoneColumn { headers }) if headers == "a, b"));
    }

    #[test]
    fn a_mapping_overrides_the_guess_and_is_checked() {
        let rows = read("Phone,Mobile\n202-555-0142,202-555-0143\n", &[("phone", "Mobile")]).unwrap();
        assert_eq!(good(&rows[0]).number.as_str(), "+12025550143");
        let rows = read("Phone,Customer\n202-555-0142,Acme\n", &[("ignore", "Customer")]).unwrap();
        assert_eq!(good(&rows[0]).name, "", "a column the operator took away is not guessed again");
        assert!(matches!(read("Phone\n1\n", &[("phone", "Handset")]), Err(CsvError::NoSuchColumn(c)) if c == "Handset"));
        assert!(matches!(read("Phone\n1\n", &[("fax", "Phone")]), Err(CsvError::NoSuchField(_))));
    }

    #[test]
    fn do_not_call_in_every_spelling() {
        for header in ["do_not_call", "Do Not Call", "DNC", "dnd", "Opt-Out", "doNotContact"] {
            for (value, want) in
                [("TRUE", true), ("yes", true), ("1", true), ("x", true), ("do not call", true), ("false", false), ("No", false), ("", false), ("0", false)]
            {
                let text: &'static str = Box::leak(format!("phone,{header}\n202-555-0142,{value}\n").into_boxed_str());
                assert_eq!(good(&read(text, &[]).unwrap()[0]).do_not_call, want, "{header}={value}");
            }
        }
    }

    #[test]
    fn a_consent_has_a_date_or_the_row_is_refused() {
        let rows = read("phone,consent date,opt-in source\n202-555-0142,2026-01-31,web form\n202-555-0143,yes,\n202-555-0144,,\n", &[]).unwrap();
        let c = good(&rows[0]);
        assert_eq!((c.consent_at.map(|t| t.to_rfc3339()).as_deref(), c.consent_source.as_str()), (Some("2026-01-31T00:00:00+00:00"), "web form"));
        assert!(matches!(&rows[1], Row::Bad { reason, .. } if reason.contains("consent date \"yes\"")));
        assert_eq!(good(&rows[2]).consent_at, None);
    }

    #[test]
    fn bad_rows_say_line_and_reason_and_good_ones_go_on() {
        let rows = read("phone,tz\nJohn,\n\n202-555-0142,Mars/Base\n202-555-0143,Europe/Berlin\n900-555-0123,\n", &[]).unwrap();
        let bad: Vec<_> = rows
            .iter()
            .filter_map(|r| match r {
                Row::Bad { line, reason } => Some(format!("{line}: {reason}")),
                Row::Good(_) => None,
            })
            .collect();
        assert_eq!(bad, ["2: not a phone number: \"John\"", "6: premium-rate or shared-cost number: never dialled: \"900-555-0123\"",]);
        let kept: Vec<_> = rows.iter().filter_map(|r| if let Row::Good(c) = r { Some((c.zones.as_str(), c.remark.is_some())) } else { None }).collect();
        assert_eq!(kept, [("America/New_York", true), ("America/New_York", true)], "kept by the number's own zone, and said");
    }
}
