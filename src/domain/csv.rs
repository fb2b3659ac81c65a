//! Streaming import of contact files: RFC 4180 with what people really send. Any encoding, separator and
//! line end, title lines over the header, header names in many spellings and languages, do-not-call columns
//! in every wording; with bounds on what a stranger may make us hold.

mod columns;
mod contact;
mod field;
mod headers;
mod list;
mod phones;
mod records;
mod refusal;
mod single;
mod text;

use std::{borrow::Cow, io::Read};

use rlibphonenumber::Region;

use self::{
    columns::{Columns, assign},
    contact::Fault,
    records::{Read1, Records},
    text::{cell, is_foreign},
};
pub use self::{
    field::{Field, IGNORE, Mapping, mapping},
    list::{NumberList, Tally},
    single::read_one,
};
use super::{contact::NewContact, phone::PhoneNumber, text::clean};

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

    /// The columns scripts may use: those with no place of their own.
    fn script_columns(&self) -> impl Iterator<Item = usize> + '_ {
        let own = |i: usize| {
            self.columns.phones.first() == Some(&i)
                || matches!(self.columns.fields[i], Some(Field::DoNotCall | Field::MayCall | Field::Name | Field::Email | Field::Company))
        };
        (0..self.headers.len()).filter(move |i| !self.headers[*i].is_empty() && !own(*i))
    }

    fn text(&self, column: usize) -> Cow<'_, str> {
        self.records.cells.get(column).map(cell).unwrap_or_default()
    }
}

/// The header: the first line, or the first behind a few title lines, with a column of phone numbers.
fn header<R: Read>(records: &mut Records<R>, mapping: &Mapping, region: Option<Region>) -> Result<(Vec<String>, Columns), CsvError> {
    let mut named = None;
    let mut wrong = None;
    for _ in 0..TITLES {
        let Some(line) = records.peek()? else { break };
        if line.trim_ascii_start().starts_with(b"{") || line.trim_ascii_start().starts_with(b"[{") {
            return Err(CsvError::Header("this is JSON, not a CSV file: save or export it as CSV".to_owned()));
        }
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
            Ok(mut columns) => {
                // Letters of another encoding: a person says what the column is, or that it is none.
                let known = |i: usize| columns.fields[i].is_some() || mapping.iter().any(|(_, column)| headers::key(column) == headers::key(&headers[i]));
                let foreign: Vec<usize> = records
                    .cells
                    .iter()
                    .enumerate()
                    .filter(|(i, h)| is_foreign(h) && !known(*i))
                    .map(|(i, _)| i)
                    .filter(|i| !columns.unclear.contains(i))
                    .collect();
                columns.unclear.extend(foreign);
                return Ok((headers, columns));
            }
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

    /// What a cell says in a word or two, in a column that is about the person.
    #[test]
    fn a_mark_in_a_cell_counts() {
        let mut wrong = Vec::new();
        let marks = [
            "Unsubscribed",
            "Blacklisted",
            "Litigator",
            "TPS",
            "CTPS",
            "Robinson",
            "Robinsonliste",
            "Bloctel",
            "Suppressed",
            "Blocked",
            "blocklist",
            "DND",
            "DNCR",
            "IDNC",
            "D.N.C.",
            "D N C",
            "no calls",
            "No contact",
            "no phone calls please",
            "gesperrt",
            "Sperre",
            "Widerspruch",
            "Werbesperre",
            "baja",
            "拒否",
            "電話拒否",
            "STOP",
            "remove from list",
            "take me off your list",
            "cease and desist",
            "consent withdrawn",
            "asked to not be called",
            "did not want to be called",
            "ne pas rappeler",
            "N'appelez plus",
            "No volver a llamar",
            "wil niet gebeld worden",
            "전화하지 마세요",
            "不要再打",
            "disconnected",
            "Deceased",
            "wrong number",
            "VIP, unsubscribed, EU customer of ours",
            "Black List",
            "опт-аут; Не звонить",
            "Đừng gọi",
        ];
        for text in marks {
            for header in ["Lead Status", "Tags"] {
                let file: &'static str = Box::leak(format!("phone,{header}\n202-555-0142,\"{text}\"\n").into_boxed_str());
                if !good(&read(file, &[]).unwrap()[0]).do_not_call {
                    wrong.push(format!("{header}: {text}"));
                }
            }
        }
        let others = [
            "Jane Robinson",
            "not blocked",
            "Stop by on Tuesday",
            "the call got disconnected, ring again",
            "asked about his late wife, deceased in 2019",
            "no answer",
            "No. 12",
            "subscribed",
            "interested",
            "Stopped smoking",
            "new number",
            "open",
            "service plan",
            "Nixdorf",
            "Blockbuster video",
            "Number verified",
            "Optician",
            "black car",
            "callback",
            "voicemail",
        ];
        for text in others {
            let file: &'static str = Box::leak(format!("phone,Remarks\n202-555-0142,\"{text}\"\n").into_boxed_str());
            if good(&read(file, &[]).unwrap()[0]).do_not_call {
                wrong.push(format!("no mark: {text}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        // Of a newsletter it is none, nor what somebody is called.
        let rows = read("phone,Newsletter,Sales rep\n202-555-0142,unsubscribed,Tom Robinson\n", &[]).unwrap();
        assert!(!good(&rows[0]).do_not_call);
    }

    #[test]
    fn of_two_numbers_the_old_one_and_a_fax_are_passed_by() {
        let second = [
            "old: 202-555-0142, new: 202-555-0143",
            "was 202-555-0142, now 202-555-0143",
            "not 202-555-0142, use 202-555-0143",
            "Fax 202-555-0142; Tel 202-555-0143",
            "Pager: 202-555-0142 / Mobile: 202-555-0143",
        ];
        for text in second {
            let file: &'static str = Box::leak(format!("name,phone\nA,\"{text}\"\n").into_boxed_str());
            let rows = read(file, &[]).unwrap();
            assert_eq!((good(&rows[0]).number.as_str(), good(&rows[0]).alternatives.len()), ("+12025550143", 0), "{text}");
        }
        for text in ["2025550142 (old) 2025550143 (new)", "Fax: 2025550142 Tel: 2025550143", "Fax: 202-555-0142", "pager 202-555-0142"] {
            let file: &'static str = Box::leak(format!("name,phone\nA,\"{text}\"\n").into_boxed_str());
            assert!(matches!(&read(file, &[]).unwrap()[0], Row::Bad { reason, .. } if reason.contains("an old number")), "{text}");
        }
        for text in ["Tel/Fax: 202-555-0143", "Tel: 2025550143 Fax: 2025550142", "202-555-0143 Harold Fox"] {
            let file: &'static str = Box::leak(format!("name,phone\nA,\"{text}\"\n").into_boxed_str());
            assert_eq!(good(&read(file, &[]).unwrap()[0]).number.as_str(), "+12025550143", "{text}");
        }
        // Whoever must not be called is so on all of them.
        let rows = read("phone,dnc,ok to call\n\"old: 202-555-0142, new: 202-555-0143\",yes,perhaps\n", &[]).unwrap();
        assert!(matches!(&rows[0], Row::Bad { listed, .. } if listed.len() == 2));
    }

    #[test]
    fn a_header_in_letters_that_cannot_be_told_stops_the_import() {
        // Shift-JIS, GBK, Windows-1251, and two old code pages: each says "do not call".
        let foreign: [&[u8]; 5] =
            [b"\x89\xcb\x93d\x8b\xd6\x8e~", b"\xc7\xeb\xce\xf0\xd6\xc2\xb5\xe7", b"\xcd\xe5 \xe7\xe2\xee\xed\xe8\xf2\xfc", b"N\x8bo ligar", b"N\xc6o ligar"];
        for header in foreign {
            let file = [b"name,phone,".as_slice(), header, b"\nA,+12025550142,x\n"].concat();
            assert!(matches!(ContactFile::open(&*file, &vec![], None), Err(CsvError::Unclear(_))), "{header:?}");
        }
        for header in [b"Gr\xf6\xdfe".as_slice(), b"Stra\xdfe", b"Pr\xe9nom", b"Pr\xe9f\xe9r\xe9", b"A\xf1o", b"N\xba", b"\xc9tat"] {
            let file = [b"name,phone,".as_slice(), header, b"\nA,+12025550142,x\n"].concat();
            assert!(ContactFile::open(&*file, &vec![], None).is_ok(), "{header:?}");
        }
    }

    /// Utah's law for a number of Washington, by whatever column says that the person lives there.
    #[test]
    fn a_state_is_read_from_whatever_column_has_it() {
        let states = [
            "ST",
            "State",
            "Property State",
            "Mail State",
            "Owner State",
            "Shipping State",
            "State of Residence",
            "Home Address State",
            "Address 1: State/Province",
            "Region",
        ];
        let codes = ["ZIP+4", "Property Zip", "Mail Zip", "Home Zip", "Contact Zip", "Address 1 - Postal Code", "zip_code"];
        let values = ["UT", "Utah", "UT - Utah", "Utah (UT)"].map(|v| (v, &states[..])).into_iter();
        let values = values.chain(["84101", "84101.0", "'84101", "841011234", "84101 1234", "84101-1234", "UT 84101"].map(|v| (v, &codes[..])));
        for (value, headers) in values {
            for header in headers {
                let file: &'static str = Box::leak(format!("phone,{header}\n202-555-0142,{value}\n").into_boxed_str());
                let rows = read(file, &[]).unwrap();
                assert!(good(&rows[0]).zones.ends_with(";US-UT"), "{header}: {value}: {}", good(&rows[0]).zones);
            }
        }
        for (header, value) in [("Status", "UT"), ("Statement", "UT"), ("Region Manager", "Utah"), ("Country code", "84101"), ("Zippy", "84101")] {
            let file: &'static str = Box::leak(format!("phone,{header}\n202-555-0142,{value}\n").into_boxed_str());
            assert_eq!(good(&read(file, &[]).unwrap()[0]).zones, "America/New_York", "{header}");
        }
        for (header, value, state) in [("State", "N Carolina", "US-NC"), ("State", "W. Va.", "US-WV"), ("State", "S. Dakota", "US-SD")] {
            let file: &'static str = Box::leak(format!("phone,{header}\n202-555-0142,{value}\n").into_boxed_str());
            let said = good(&read(file, &[]).unwrap()[0]).said.clone();
            assert!(said.ends_with(state), "{value}: {said}");
        }
        for (header, value) in [("Region", "Northeast"), ("Call State", "open"), ("Main St", "open"), ("1st", "x")] {
            let file: &'static str = Box::leak(format!("phone,{header}\n202-555-0142,{value}\n").into_boxed_str());
            assert_eq!(good(&read(file, &[]).unwrap()[0]).remark, None, "{header}: nothing to tell of each row");
        }
        for (header, value) in [("State", "Mars"), ("Owner State", "Mars"), ("Zip", "1"), ("Property Zip", "none")] {
            let file: &'static str = Box::leak(format!("phone,{header}\n202-555-0142,{value}\n").into_boxed_str());
            assert!(good(&read(file, &[]).unwrap()[0]).remark.as_deref().is_some_and(|r| r.contains("is not known")), "{header}: {value}");
        }
    }

    #[test]
    fn what_is_no_text_is_named() {
        for (file, what) in [("PK\u{3}\u{4}...", "spreadsheet"), ("%PDF-1.4", "PDF"), ("{\"phone\": 1}", "JSON"), ("[{\"phone\"", "JSON"), ("<html>", "HTML")] {
            let e = ContactFile::open(file.as_bytes(), &vec![], None).err().unwrap().to_string();
            assert!(e.contains(what) && e.contains("as CSV"), "{e}");
        }
    }

    #[test]
    fn signs_under_a_permission() {
        for (sign, want) in [
            ("☐", true),
            ("□", true),
            ("×", true),
            ("⛔", true),
            ("🚫", true),
            ("✗", true),
            ("❌", true),
            ("✓", false),
            ("☑", false),
            ("✅", false),
            ("○", false),
            ("1.0", false),
            ("", false),
        ] {
            let file: &'static str = Box::leak(format!("phone,OK to call\n202-555-0142,{sign}\n").into_boxed_str());
            assert_eq!(good(&read(file, &[]).unwrap()[0]).do_not_call, want, "{sign}");
        }
        for sign in ["*", "?", "!", "-", "♥", "10"] {
            let file: &'static str = Box::leak(format!("phone,OK to call\n202-555-0142,{sign}\n").into_boxed_str());
            assert!(matches!(&read(file, &[]).unwrap()[0], Row::Bad { reason, .. } if reason.contains("neither yes nor no")), "{sign}");
        }
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
