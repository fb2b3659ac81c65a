//! Lines into records, with bounds: no line, row, cell or number of columns that a stranger chooses may
//! fill the memory, and a quotation mark that is never closed swallows nobody.

use std::{
    collections::VecDeque,
    io::{BufRead, Read},
};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::text::Text;

/// Bytes of a row, and of the header.
pub const ROW: usize = 64 << 10;
/// Columns of a row, and of the header.
pub const COLUMNS: usize = 1000;
/// Bytes of a cell.
pub const CELL: usize = 16 << 10;
/// So many quotation marks may stay open before the file as a whole is refused.
const OPEN: u32 = 20;

/// The cells of one record.
pub struct Cells {
    data: Vec<u8>,
    ends: Vec<usize>,
    n: usize,
}

impl Cells {
    fn new() -> Self {
        Self { data: vec![0; ROW + 2], ends: vec![0; COLUMNS + 1], n: 0 }
    }

    fn of(values: &[&str]) -> Self {
        let data: Vec<u8> = values.concat().into_bytes();
        let ends = values.iter().scan(0, |end, v| {
            *end += v.len();
            Some(*end)
        });
        Self { data, ends: ends.collect(), n: values.len() }
    }

    pub fn len(&self) -> usize {
        self.n
    }

    pub fn get(&self, i: usize) -> Option<&[u8]> {
        let end = *self.ends[..self.n].get(i)?;
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        Some(&self.data[start..end])
    }

    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.n).filter_map(|i| self.get(i))
    }
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Read1 {
    /// A record that begins on this line.
    Record(u64),
    /// One that is none, with the reason. The cells hold what could be read of it.
    Broken(u64, String),
    /// Too many quotation marks of this file stay open: the first on this line.
    Hopeless(u64),
    End,
}

/// A file's records, one by one.
pub struct Records<R: Read> {
    text: Text<R>,
    /// The next line's number.
    line: u64,
    /// After a carriage return: the line feed that may follow belongs to it.
    carriage: bool,
    /// Lines that are to be read again.
    back: VecDeque<(u64, Vec<u8>)>,
    reader: Reader,
    delimiter: u8,
    pub cells: Cells,
    /// The lines of the record read last.
    lines: Vec<(u64, Vec<u8>)>,
    open: u32,
    first_open: u64,
}

impl Records<std::io::Empty> {
    /// One record that is no file's.
    pub fn of(values: &[&str]) -> Self {
        Self::over(Text::empty(), Cells::of(values))
    }
}

impl<R: Read> Records<R> {
    pub fn open(read: R) -> std::io::Result<Self> {
        Ok(Self::over(Text::open(read)?, Cells::new()))
    }

    fn over(text: Text<R>, cells: Cells) -> Self {
        Self {
            text,
            line: 1,
            carriage: false,
            back: VecDeque::new(),
            reader: reader(b',', true),
            delimiter: b',',
            cells,
            lines: Vec::new(),
            open: 0,
            first_open: 0,
        }
    }

    /// Bytes taken from the file.
    pub fn taken(&self) -> u64 {
        self.text.taken()
    }

    pub fn separate_by(&mut self, delimiter: u8) {
        self.delimiter = delimiter;
        self.reader = reader(delimiter, true);
    }

    /// The next line that is not blank, left where it is.
    pub fn peek(&mut self) -> std::io::Result<Option<&[u8]>> {
        loop {
            let Some((line, bytes)) = self.next_line()? else { return Ok(None) };
            if !bytes.trim_ascii().is_empty() {
                self.back.push_front((line, bytes));
                return Ok(self.back.front().map(|(_, b)| b.as_slice()));
            }
        }
    }

    /// Skips the line that was peeked at.
    pub fn skip(&mut self) {
        self.back.pop_front();
    }

    pub fn next(&mut self) -> std::io::Result<Read1> {
        self.lines.clear();
        let (mut data, mut ends) = (0, 0);
        loop {
            let Some((line, mut bytes)) = self.next_line()? else {
                return Ok(if self.lines.is_empty() { Read1::End } else { self.unclosed() });
            };
            if self.lines.is_empty() && bytes.trim_ascii().is_empty() {
                continue;
            }
            if data + bytes.len() > ROW {
                if !self.lines.is_empty() {
                    self.lines.push((line, bytes));
                    return Ok(self.unclosed());
                }
                self.cells.n = 0;
                return Ok(Read1::Broken(line, format!("the row is longer than {} KiB", ROW >> 10)));
            }
            bytes.push(b'\n');
            let (result, _, n, m) = self.reader.read_record(&bytes, &mut self.cells.data[data..], &mut self.cells.ends[ends..]);
            bytes.pop();
            self.lines.push((line, bytes));
            (data, ends) = (data + n, ends + m);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record => {
                    self.cells.n = ends.min(COLUMNS);
                    return Ok(self.judged(ends));
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull | ReadRecordResult::End => {
                    self.reader = reader(self.delimiter, true);
                    self.cells.n = COLUMNS;
                    return Ok(self.judged(COLUMNS + 1));
                }
            }
        }
    }

    fn judged(&self, columns: usize) -> Read1 {
        let line = self.lines[0].0;
        if columns > COLUMNS {
            return Read1::Broken(line, format!("the row has more than {COLUMNS} columns"));
        }
        if self.cells.iter().any(|c| c.len() > CELL) {
            return Read1::Broken(line, format!("a cell is longer than {} KiB", CELL >> 10));
        }
        Read1::Record(line)
    }

    /// Whether the record read last went over its lines by mistake: what ended its quoted cell opens one,
    /// for no separator follows it.
    pub fn is_runaway(&self) -> bool {
        let Some((_, last)) = self.lines.get(1..).and_then(|l| l.last()) else { return false };
        let mut rest = last.as_slice();
        while let Some(i) = memchr::memchr(b'"', rest) {
            let behind = &rest[i + 1..];
            if behind.first() != Some(&b'"') {
                return !matches!(behind.trim_ascii_start().first(), None | Some(b'"')) && behind.trim_ascii_start().first() != Some(&self.delimiter);
            }
            rest = &behind[1..];
        }
        false
    }

    /// The record read last was none: its first line is read without quotation marks, the others are read
    /// again by themselves.
    pub fn unclosed(&mut self) -> Read1 {
        let lines = std::mem::take(&mut self.lines);
        let (line, n) = (lines.first().map_or(0, |l| l.0), lines.len().saturating_sub(1));
        if self.open == 0 {
            self.first_open = line;
        }
        self.open += 1;
        if self.open > OPEN {
            return Read1::Hopeless(self.first_open);
        }
        let mut lines = lines.into_iter();
        if let Some((_, mut bytes)) = lines.next() {
            bytes.push(b'\n');
            let (_, _, _, ends) = reader(self.delimiter, false).read_record(&bytes, &mut self.cells.data, &mut self.cells.ends);
            self.cells.n = ends.min(COLUMNS);
        }
        for (at, line) in lines.rev() {
            self.back.push_front((at, line));
        }
        self.reader = reader(self.delimiter, true);
        let lines = if n == 1 { "the line".to_owned() } else { format!("the {n} lines") };
        Read1::Broken(line, format!("a quotation mark opened here is never closed; {lines} that it swallowed are read by themselves"))
    }

    /// A line without its end. Of one that is longer than a row may be, a little more than that is kept.
    fn next_line(&mut self) -> std::io::Result<Option<(u64, Vec<u8>)>> {
        if let Some(line) = self.back.pop_front() {
            return Ok(Some(line));
        }
        let mut line = Vec::new();
        let mut any = false;
        loop {
            let chunk = self.text.fill_buf()?;
            let skip = usize::from(std::mem::take(&mut self.carriage) && chunk.first() == Some(&b'\n'));
            if chunk.is_empty() {
                self.line += 1;
                return Ok(any.then_some((self.line - 1, line)));
            }
            let chunk = &chunk[skip..];
            any |= !chunk.is_empty();
            let end = memchr::memchr2(b'\n', b'\r', chunk);
            let piece = &chunk[..end.unwrap_or(chunk.len())];
            line.extend_from_slice(&piece[..piece.len().min((ROW + 1).saturating_sub(line.len()))]);
            self.carriage = end.is_some_and(|e| chunk[e] == b'\r');
            let taken = skip + piece.len() + usize::from(end.is_some());
            self.text.consume(taken);
            if end.is_some() {
                self.line += 1;
                return Ok(Some((self.line - 1, line)));
            }
        }
    }
}

fn reader(delimiter: u8, quoting: bool) -> Reader {
    ReaderBuilder::new().delimiter(delimiter).quoting(quoting).build()
}

/// What separates the cells of a line: the one that stands in it most often, outside quotes.
pub fn sniff(line: &[u8]) -> u8 {
    const MARKS: [u8; 4] = [b',', b';', b'\t', b'|'];
    let mut quoted = false;
    let mut counts = [0usize; 4];
    for b in line {
        if *b == b'"' {
            quoted = !quoted;
        } else if let Some(i) = MARKS.iter().position(|m| m == b && !quoted) {
            counts[i] += 1;
        }
    }
    let best = (0..4).rev().max_by_key(|i| counts[*i]).unwrap_or(0);
    MARKS[best]
}

/// The separator that a first line such as `sep=;` names.
pub fn named(line: &[u8]) -> Option<u8> {
    let line = line.trim_ascii_start();
    match line {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', mark] | [b'"', b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', mark, b'"'] => Some(*mark),
        _ => None,
    }
}
