//! A list of numbers that must not be called: one a line, or a table whose header says where the numbers
//! stand. Every number of a line counts, and a line without one is told.

use std::io::Read;

use rlibphonenumber::Region;

use super::{
    CsvError, Mapping, TITLES,
    columns::assign,
    records::{Read1, Records, named, sniff},
    text::cell,
};
use crate::domain::{
    phone::{Parsed, PhoneNumber},
    text::clean,
};

/// A list being read.
pub struct NumberList<R: Read> {
    records: Records<R>,
    mapping: Mapping,
    region: Option<Region>,
    /// Columns of numbers, where a header has named them.
    columns: Vec<usize>,
    /// Lines read so far that are not blank.
    lines: usize,
    begun: bool,
    /// The separator is known.
    fixed: bool,
    pub tally: Tally,
}

/// What a list held so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines with a number, and without.
    pub good: u64,
    pub bad: u64,
    /// The header, or the first line where it held no number.
    pub header: Option<String>,
    /// The first line without a number: its place and what it is.
    pub wrong: Option<(u64, String)>,
}

impl<R: Read> NumberList<R> {
    /// # Errors
    /// When nothing can be read.
    pub fn open(read: R, mapping: Mapping, region: Option<Region>) -> Result<Self, CsvError> {
        let mut records = Records::open(read)?;
        let mark = records.peek()?.and_then(named);
        if let Some(mark) = mark {
            records.skip();
            records.separate_by(mark);
        }
        Ok(Self { records, mapping, region, columns: Vec::new(), lines: 0, begun: false, fixed: mark.is_some(), tally: Tally::default() })
    }

    /// The numbers of the next line that has any; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub fn next_line(&mut self) -> Result<Option<Vec<Parsed>>, CsvError> {
        loop {
            if !self.fixed
                && let Some(mark) = self.records.peek()?.map(sniff)
            {
                self.records.separate_by(mark);
            }
            let line = match self.records.next()? {
                Read1::End => return self.end(),
                Read1::Hopeless(line) => return Err(CsvError::Quotes(line)),
                Read1::Record(_) if self.records.is_runaway() => match self.records.unclosed() {
                    Read1::Broken(line, _) => line,
                    Read1::Hopeless(line) => return Err(CsvError::Quotes(line)),
                    Read1::Record(_) | Read1::End => continue,
                },
                Read1::Record(line) | Read1::Broken(line, _) => line,
            };
            if self.records.cells.len() > 0 && self.records.cells.iter().all(|c| c.trim_ascii().is_empty()) {
                continue;
            }
            self.lines += 1;
            if !self.begun && self.is_header() {
                continue;
            }
            let numbers = self.numbers();
            if !numbers.is_empty() {
                (self.begun, self.fixed) = (true, true);
                self.tally.good += 1;
                return Ok(Some(numbers));
            }
            self.without(line);
        }
    }

    fn end(&self) -> Result<Option<Vec<Parsed>>, CsvError> {
        let named = self.mapping.first().filter(|_| self.columns.is_empty());
        named.map_or(Ok(None), |(_, column)| Err(CsvError::NoSuchColumn(clean(column, 100))))
    }

    /// A first line without a number is no entry; lines over a header are none either.
    fn without(&mut self, line: u64) {
        let text: String = self.records.cells.iter().map(|c| cell(c).into_owned()).collect::<Vec<_>>().join(" ");
        let text = clean(text.trim(), 60);
        if self.lines == 1 {
            self.tally.header = Some(text);
            return;
        }
        self.tally.bad += 1;
        self.tally.wrong.get_or_insert((line, text));
    }

    /// Takes a line that names a column of numbers for the header.
    fn is_header(&mut self) -> bool {
        if self.lines > TITLES || !self.columns.is_empty() {
            return false;
        }
        let headers: Vec<String> = self.records.cells.iter().map(|c| clean(cell(c).trim(), 200)).collect();
        // A line with a number in it is an entry, whatever words stand beside it.
        if headers.iter().any(|h| !PhoneNumber::all(h, self.region).is_empty()) {
            return false;
        }
        let Ok(columns) = assign(&headers, &self.mapping) else { return false };
        self.columns = columns.phones;
        self.columns.extend(columns.others);
        self.fixed = true;
        self.tally = Tally { header: Some(clean(&headers.join(", "), 200)), ..Tally::default() };
        true
    }

    fn numbers(&self) -> Vec<Parsed> {
        let text = |i: usize| self.records.cells.get(i).map(cell).unwrap_or_default();
        let mut found: Vec<Parsed> = if self.columns.is_empty() {
            (0..self.records.cells.len()).flat_map(|i| PhoneNumber::all(&text(i), self.region)).collect()
        } else {
            self.columns.iter().flat_map(|i| PhoneNumber::all(&text(*i), self.region)).collect()
        };
        // Some national lists part the area code.
        let parted = self.columns.first().copied().unwrap_or(1);
        if parted > 0 && (found.is_empty() || self.columns.is_empty()) {
            let (area, line) = (text(parted - 1), text(parted));
            let digits = |t: &str| !t.trim().is_empty() && t.trim().bytes().all(|b| b.is_ascii_digit() || b == b'-');
            if digits(&area) && area.trim().len() <= 5 && digits(&line) {
                found.extend(PhoneNumber::parse(&format!("{}{}", area.trim(), line.trim()), self.region));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phone;

    fn read(text: &[u8], code: &str) -> (Vec<String>, Tally) {
        let mut list = NumberList::open(text, Vec::new(), phone::region(code).ok()).unwrap();
        let numbers = std::iter::from_fn(|| list.next_line().unwrap()).flatten().map(|p| p.number.to_string()).collect();
        (numbers, list.tally)
    }

    #[test]
    fn numbers_as_lists_have_them() {
        const A: &str = "+12025550142";
        const B: &str = "+12025550143";
        let wide: Vec<u8> = [0xFF, 0xFE].into_iter().chain("202-555-0142\r\n202-555-0143\r\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let cases: &[(&[u8], &str, &[&str])] = &[
            ("\u{feff}+12025550142\n+12025550143\n".as_bytes(), "", &[A, B]),
            ("\u{feff}\"+12025550142\"\n\"+12025550143\"\n".as_bytes(), "", &[A, B]),
            (b"+12025550142\r+12025550143\r", "", &[A, B]),
            (&wide, "US", &[A, B]),
            (b"202-555-0142,202-555-0143\n", "US", &[A, B]),
            (b"202-555-0142 / 202-555-0143\n", "US", &[A, B]),
            (b"id,phone\n4045550199,202-555-0142\n", "US", &[A]),
            (b"List of 2026\nid;mobile;phone\n4045550199;202-555-0143;202-555-0142\n", "US", &[A, B]),
            (b"Jane +1 202 555 0142\n", "", &[A]),
            (b"Jane;(202) 555-0142\n", "US", &[A]),
            (b"\"+1 202 555 0142\",asked on 3 May\n", "", &[A]),
            (b"area,number\n202,5550142\n", "US", &[A]),
            (b"202,5550142\n202,5550143\n", "US", &[A, B]),
            (b"+12025550142.0\n", "", &[A]),
            (b"phone\n'+12025550142\n", "", &[A]),
            (b"sep=;\nphone;name\n202-555-0142;A\n", "US", &[A]),
            (b"{\"phone\":\"202-555-0142\"}\n{\"phone\":\"202-555-0143\"}\n", "US", &[A, B]),
            (b"Phone: 202-555-0142\nPhone: 202-555-0143\n", "US", &[A, B]),
        ];
        for (text, code, want) in cases {
            let (numbers, tally) = read(text, code);
            assert_eq!(numbers, *want, "{}: {tally:?}", String::from_utf8_lossy(text));
            assert_eq!(tally.bad, 0, "{}: {tally:?}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn lines_without_a_number_are_counted_and_the_first_is_told() {
        let (numbers, tally) = read(b"who,what\nnobody\n+12025550142\nJane\n", "");
        assert_eq!((numbers.len(), tally.good, tally.bad), (1, 1, 2));
        assert_eq!((tally.header.as_deref(), tally.wrong), (Some("who what"), Some((2, "nobody".to_owned()))));
    }
}
