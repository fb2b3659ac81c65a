//! Streaming import of contact files: RFC 4180 with what people really send. Any encoding, separator and
//! line end, title lines over the header, header names in many spellings and languages, do-not-call columns
//! in every wording; with bounds on what a stranger may make us hold.

mod columns;
mod list;
mod records;
mod refusal;
mod single;
mod text;

use std::{borrow::Cow, io::Read};

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use rlibphonenumber::Region;

use self::{
    columns::{Columns, assign},
    records::{Read1, Records},
    text::cell,
};
pub use self::{
    list::{NumberList, Tally},
    single::read_one,
};
use super::{
    contact::NewContact,
    id::ContactId,
    phone::{Parsed, PhoneNumber},
    place::{self, Said},
    text::{LONGEST_NOTE, clean},
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
    #[error(
        "column \"{0}\" may say who must not be called, and it cannot be told: name it with --map do_not_call=COLUMN or --map may_call=COLUMN, \
         or leave it out with --ignore-column COLUMN"
    )]
    Unclear(String),
    #[error("the header cannot be read: {0}")]
    Header(String),
    #[error("a quotation mark opened in line {0} is never closed, and more after it: mend the file's quotation marks")]
    Quotes(u64),
    #[error("the file has more than {MOST_ROWS} rows: import it in parts")]
    TooManyRows,
    #[error("cannot read the file: {0}")]
    Io(#[from] std::io::Error),
}

/// Rows of one file.
pub const MOST_ROWS: u64 = 2_000_000;

/// Lines over a header that are none: a report's title and date.
const TITLES: usize = 20;

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
    MayCall,
    ConsentAt,
    ConsentSource,
}

impl Field {
    pub const ALL: [Self; 14] = [
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
        Self::MayCall,
        Self::ConsentAt,
        Self::ConsentSource,
    ];
    const NAMES: &'static str =
        "phone, name, first_name, last_name, email, company, notes, timezone, state, postcode, do_not_call, may_call, consent_at, consent_source, ignore";

    #[must_use]
    pub fn name(self) -> &'static str {
        self.aliases()[0]
    }

    /// Header spellings as `columns::key` has them; whole names only, never a part of one ("Cancelled" is no
    /// cell phone). Phones and do-not-call are recognised by their words instead.
    fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Phone => &["phone"],
            Self::Name => &[
                "name",
                "fullname",
                "contactname",
                "contact",
                "customername",
                "customer",
                "leadname",
                "displayname",
                "fileas",
                "nomcomplet",
                "nombrecompleto",
                "nomecompleto",
                "nombre",
                "nome",
                "имя",
                "фио",
                "姓名",
                "氏名",
                "이름",
            ],
            Self::FirstName => &["firstname", "first", "givenname", "forename", "vorname", "prenom", "voornaam", "imie", "fornamn", "fornavn", "jmeno"],
            Self::LastName => &[
                "lastname",
                "last",
                "surname",
                "familyname",
                "nachname",
                "nom",
                "apellido",
                "apellidos",
                "cognome",
                "sobrenome",
                "achternaam",
                "nazwisko",
                "efternamn",
                "etternavn",
                "prijmeni",
                "фамилия",
            ],
            Self::Email => &[
                "email",
                "emailaddress",
                "mail",
                "emailid",
                "contactemail",
                "email1value",
                "email1",
                "primaryemail",
                "correo",
                "correoelectronico",
                "courriel",
                "adressemail",
            ],
            Self::Company => &[
                "company",
                "companyname",
                "organisation",
                "organization",
                "business",
                "employer",
                "firma",
                "accountname",
                "organizationname",
                "organization1name",
                "empresa",
                "societe",
                "entreprise",
                "azienda",
                "bedrijf",
            ],
            Self::Notes => &["notes", "note", "comment", "comments", "remarks", "notizen", "bemerkung", "notas", "description"],
            Self::ConsentAt => &["consentat", "consentdate", "consenttime", "optedinat", "optinat", "optindate", "consentgivenat"],
            Self::ConsentSource => &["consentsource", "optinsource", "consentby", "consentchannel"],
            Self::Zone => &["timezone", "zone", "tz", "iana", "timezonename", "contacttimezone", "leadtimezone", "timezoneiana", "zeitzone"],
            Self::State => place::STATE_COLUMNS,
            Self::Postcode => place::POSTCODE_COLUMNS,
            Self::DoNotCall => &["donotcall", "dnc"],
            Self::MayCall => &["maycall"],
        }
    }

    /// The field whose alias a header is.
    fn of(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.aliases().contains(&key))
    }

    fn parse(name: &str) -> Option<Self> {
        Self::of(&columns::key(name))
    }
}

/// `phone=Mobile` pairs that override the guess; the field [`IGNORE`] keeps a column from being taken
/// for anything (scripts may still use it).
pub type Mapping = Vec<(String, String)>;

/// See [`Mapping`].
pub const IGNORE: &str = "ignore";

/// `phone=Mobile,name=Customer` as it is written on the command line and in a form.
///
/// # Errors
/// The pair that is none.
pub fn mapping(text: &str) -> Result<Mapping, String> {
    let pairs = text.split(',').map(str::trim).filter(|p| !p.is_empty());
    pairs
        .map(|pair| {
            let (field, column) = pair.split_once('=').ok_or_else(|| format!("wants field=Column, not \"{}\"", clean(pair, 60)))?;
            Ok((field.trim().to_owned(), column.trim().to_owned()))
        })
        .collect()
}

/// A file being read: its headers, which column means what, and its rows one by one.
pub struct ContactFile<R: Read> {
    records: Records<R>,
    headers: Vec<String>,
    columns: Columns,
    region: Option<Region>,
    rows: u64,
}

/// One row: a contact to keep, or the line and the reason it is not kept.
#[derive(Debug)]
pub enum Row {
    Good(Box<NewContact>),
    /// `listed` are its numbers where it says that they must not be called: that holds all the same.
    Bad {
        line: u64,
        reason: String,
        listed: Vec<PhoneNumber>,
    },
}

/// What is wrong with a field of a row.
struct Fault {
    field: Field,
    reason: String,
}

fn in_words(faults: &[Fault]) -> String {
    faults.iter().map(|f| f.reason.as_str()).collect::<Vec<_>>().join("; ")
}

impl<R: Read> ContactFile<R> {
    /// Reads the header and decides the columns.
    ///
    /// # Errors
    /// When there is no header, no phone column, a mapping that does not fit, or a column that may say who
    /// must not be called and is not understood.
    pub fn open(read: R, mapping: &Mapping, region: Option<Region>) -> Result<Self, CsvError> {
        let file = Self::look(read, mapping, region)?;
        match file.columns.unclear.first() {
            Some(i) => Err(CsvError::Unclear(file.headers[*i].clone())),
            None => Ok(file),
        }
    }

    /// The same for a person who will say what the unclear columns mean.
    ///
    /// # Errors
    /// As [`ContactFile::open`], but for unclear columns.
    pub fn look(read: R, mapping: &Mapping, region: Option<Region>) -> Result<Self, CsvError> {
        let mut records = Records::open(read)?;
        let (headers, columns) = header(&mut records, mapping, region)?;
        Ok(Self { records, headers, columns, region, rows: 0 })
    }

    /// Header names with the field each was taken for.
    pub fn columns(&self) -> impl Iterator<Item = (&str, Option<Field>)> {
        self.headers.iter().map(String::as_str).zip(self.columns.fields.iter().copied())
    }

    /// Whether a column may say who must not be called, and it cannot be told.
    #[must_use]
    pub fn is_unclear(&self, column: usize) -> bool {
        self.columns.unclear.contains(&column)
    }

    /// The names of the values in [`NewContact::extra`], in their order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.script_columns().map(|i| self.headers[i].clone()).collect()
    }

    /// Bytes read so far, for a progress bar.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.records.taken()
    }

    /// The next row that is not blank; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read on: what was read so far is not the file.
    pub fn next_row(&mut self) -> Result<Option<Row>, CsvError> {
        loop {
            let read = match self.records.next()? {
                Read1::Record(_) if self.records.is_runaway() => self.records.unclosed(),
                read => read,
            };
            let row = match read {
                Read1::End => return Ok(None),
                Read1::Hopeless(line) => return Err(CsvError::Quotes(line)),
                Read1::Record(_) if self.records.cells.iter().all(|v| v.trim_ascii().is_empty()) => continue,
                Read1::Record(line) => self.contact(line).map_or_else(|faults| self.bad(line, in_words(&faults)), |c| Row::Good(Box::new(c))),
                Read1::Broken(line, reason) => self.bad(line, reason),
            };
            self.rows += 1;
            return if self.rows > MOST_ROWS { Err(CsvError::TooManyRows) } else { Ok(Some(row)) };
        }
    }

    fn bad(&self, line: u64, reason: String) -> Row {
        let listed: Vec<PhoneNumber> = if self.must_not_be_called() { self.every_number().map(|p| p.number).collect() } else { Vec::new() };
        // Whom it means cannot be told: an operator must.
        let reason = if listed.is_empty() && self.must_not_be_called() { format!("says \"do not call\": {reason}") } else { reason };
        Row::Bad { line, reason, listed }
    }

    /// # Errors
    /// All that is wrong with the row.
    fn contact(&self, line: u64) -> Result<NewContact, Vec<Fault>> {
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
        let remark = remark.or_else(|| place::unknown_state(&self.value(Field::State), &first.country));
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
        let state = place::state(&self.value(Field::State), country).or_else(|| place::state_of_postcode(&self.value(Field::Postcode), country));
        Said::new(&self.value(Field::Zone), state)
    }

    /// Whether any column says so.
    fn must_not_be_called(&self) -> bool {
        self.columns.refusals.iter().any(|i| refusal::says_no(&self.text(*i)))
            || self.columns.permissions.iter().any(|i| refusal::forbids(&self.text(*i)) == Some(true))
            || self.said_in().is_some()
    }

    /// The first column in which somebody has written it, in whatever column that is.
    fn said_in(&self) -> Option<usize> {
        self.columns.spoken.iter().copied().find(|i| refusal::is_said(&self.text(*i)))
    }

    fn numbers<'a>(&'a self, columns: &'a [usize]) -> impl Iterator<Item = Parsed> + 'a {
        columns.iter().flat_map(|i| PhoneNumber::all(&self.text(*i), self.region))
    }

    /// The same without those beside which somebody has written that they are wrong.
    fn right_numbers<'a>(&'a self, columns: &'a [usize]) -> impl Iterator<Item = Parsed> + 'a {
        columns.iter().filter(|i| !refusal::is_wrong(&self.text(**i))).flat_map(|i| PhoneNumber::all(&self.text(*i), self.region))
    }

    fn every_number(&self) -> impl Iterator<Item = Parsed> + '_ {
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

    /// The columns scripts may use: those with no place of their own.
    fn script_columns(&self) -> impl Iterator<Item = usize> + '_ {
        let own = |i: usize| {
            self.columns.phones.first() == Some(&i)
                || matches!(self.columns.fields[i], Some(Field::DoNotCall | Field::MayCall | Field::Name | Field::Email | Field::Company))
        };
        (0..self.headers.len()).filter(move |i| !self.headers[*i].is_empty() && !own(*i))
    }

    fn extra(&self) -> Vec<String> {
        let mut values: Vec<String> = self.script_columns().map(|i| clean(self.text(i).trim(), 2000)).collect();
        values.truncate(values.iter().rposition(|v| !v.is_empty()).map_or(0, |i| i + 1));
        values
    }

    fn text(&self, column: usize) -> Cow<'_, str> {
        self.records.cells.get(column).map(cell).unwrap_or_default()
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

/// The header: the first line, or the first behind a few title lines, with a column of phone numbers.
fn header<R: Read>(records: &mut Records<R>, mapping: &Mapping, region: Option<Region>) -> Result<(Vec<String>, Columns), CsvError> {
    let mut named = None;
    let mut wrong = None;
    for _ in 0..TITLES {
        let Some(line) = records.peek()? else { break };
        if wrong.is_none() && named.is_none() {
            named = records::named(line);
            if let Some(mark) = named {
                records.skip();
                records.separate_by(mark);
                continue;
            }
        }
        let mark = named.unwrap_or_else(|| records::sniff(line));
        records.separate_by(mark);
        match records.next()? {
            Read1::Record(_) => {}
            Read1::Broken(_, why) => return Err(wrong.unwrap_or(CsvError::Header(why))),
            Read1::Hopeless(_) | Read1::End => break,
        }
        let headers: Vec<String> = records.cells.iter().map(|h| clean(cell(h).trim(), 200)).collect();
        match assign(&headers, mapping) {
            Ok(columns) => return Ok((headers, columns)),
            Err(e @ CsvError::NoSuchField(_)) => return Err(e),
            // Behind a line that holds somebody's number no header comes.
            Err(e) if headers.iter().any(|h| PhoneNumber::parse(h, region).is_ok()) => return Err(wrong.unwrap_or(e)),
            Err(e) => wrong = Some(wrong.unwrap_or(e)),
        }
    }
    Err(wrong.unwrap_or(CsvError::Empty))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phone;

    fn read(text: &'static str, mapping: &[(&str, &str)]) -> Result<Vec<Row>, CsvError> {
        let mapping = mapping.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let mut file = ContactFile::open(text.as_bytes(), &mapping, phone::region("US").ok())?;
        std::iter::from_fn(|| file.next_row().transpose()).collect()
    }

    fn good(row: &Row) -> &NewContact {
        match row {
            Row::Good(c) => c,
            Row::Bad { line, reason, .. } => panic!("line {line}: {reason}"),
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
        assert!(matches!(file.next_row(), Ok(Some(Row::Good(c))) if c.name == "José"));
    }

    #[test]
    fn headers_are_matched_whole() {
        let rows = read("Account Number,Cancelled,First Name,Last Name,Phone\n4471,no,Jane,Roe,202-555-0142\n", &[]).unwrap();
        let c = good(&rows[0]);
        assert_eq!((c.name.as_str(), c.number.as_str()), ("Jane Roe", "+12025550142"));
        assert_eq!(c.extra, ["4471", "no", "Jane", "Roe"]);
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
    fn what_somebody_has_written_anywhere_counts() {
        let said = [
            ("DNC", true),
            ("Do Not Call", true),
            ("VIP; do-not-call", true),
            ("please DON'T ever phone him again", true),
            ("does not want to be called", true),
            ("Bitte nicht mehr anrufen!", true),
            ("ne pas appeler SVP", true),
            ("Не звонить", true),
            ("請勿致電", true),
            ("opted out of calls 2025-03-01", true),
            ("call back on Tuesday", false),
            ("never answered the phone", false),
            ("do not contact by email", false),
            ("during interview he said yes", false),
            ("customers do not answer the phone", false),
            ("wants a call, not an email", false),
            ("", false),
        ];
        for (text, want) in said {
            for header in ["Notes", "Lead Status", "Tags", "Disposition"] {
                let file: &'static str = Box::leak(format!("phone,{header}\n202-555-0142,\"{text}\"\n").into_boxed_str());
                let rows = read(file, &[]).unwrap();
                assert_eq!(good(&rows[0]).do_not_call, want, "{header}: {text}");
                assert_eq!(good(&rows[0]).remark.is_some(), want, "{header}: {text}");
            }
        }
        for (cell, want) in [("202-555-0142 DNC", true), ("202-555-0142 (do not call)", true), ("202-555-0142 home", false)] {
            let file: &'static str = Box::leak(format!("name,phone\nA,{cell}\n").into_boxed_str());
            assert_eq!(good(&read(file, &[]).unwrap()[0]).do_not_call, want, "{cell}");
        }
        for cell in ["202-555-0142 wrong number", "202-555-0142 (disconnected)", "202-555-0142 falsch", "202-555-0142 - not in service"] {
            let file: &'static str = Box::leak(format!("name,phone,mobile\nA,{cell},\nB,{cell},202-555-0143\n").into_boxed_str());
            let rows = read(file, &[]).unwrap();
            assert!(matches!(&rows[0], Row::Bad { reason, .. } if reason.contains("wrong number")), "{cell}");
            let c = good(&rows[1]);
            assert_eq!((c.number.as_str(), c.alternatives.len()), ("+12025550143", 0), "{cell}");
        }
        // What somebody is called says nothing; nor does a column that the operator leaves out.
        let rows = read("phone,company,city\n202-555-0142,DNC Parks,Do Not Call\n", &[]).unwrap();
        assert!(!good(&rows[0]).do_not_call);
        let rows = read("phone,notes\n202-555-0142,do not call before nine\n", &[("ignore", "notes")]).unwrap();
        assert!(!good(&rows[0]).do_not_call);
        let rows = read("phone,notes\n12,do not call 202-555-0142\n", &[]).unwrap();
        assert!(matches!(&rows[0], Row::Bad { reason, .. } if reason.contains("do not call")));
    }

    #[test]
    fn headers_that_ask_whether_one_may_call() {
        for header in
            ["Phone OK", "Telefon erlaubt", "Calling allowed", "Accepts calls", "Agreed to calls", "Reachable by phone", "Peut être appelé", "Can phone"]
        {
            let file: &'static str = Box::leak(format!("phone,{header}\n202-555-0142,no\n202-555-0143,yes\n").into_boxed_str());
            let rows = read(file, &[]).unwrap();
            assert_eq!((good(&rows[0]).do_not_call, good(&rows[1]).do_not_call), (true, false), "{header}");
        }
        for header in ["Call?", "Anrufen", "Interdit", "Subscribed"] {
            let file: &'static str = Box::leak(format!("phone,{header}\n202-555-0142,no\n").into_boxed_str());
            assert!(matches!(read(file, &[]), Err(CsvError::Unclear(_))), "{header}");
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
                Row::Bad { line, reason, .. } => Some(format!("{line}: {reason}")),
                Row::Good(_) => None,
            })
            .collect();
        assert_eq!(bad, ["2: not a phone number: \"John\"", "6: premium-rate or shared-cost number: never dialled: \"900-555-0123\"",]);
        let kept: Vec<_> = rows.iter().filter_map(|r| if let Row::Good(c) = r { Some((c.zones.as_str(), c.remark.is_some())) } else { None }).collect();
        assert_eq!(kept, [("America/New_York", true), ("America/New_York", true)], "kept by the number's own zone, and said");
    }
}
