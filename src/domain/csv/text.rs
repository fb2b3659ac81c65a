//! Bytes of a file as UTF-8, whatever program wrote it: marks of byte order, UTF-16 with and without one,
//! Windows-1252 cell by cell.

use std::{
    borrow::Cow,
    io::{BufRead, BufReader, Cursor, Read},
};

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// A file's head, looked at, and the rest of it.
type Whole<R> = BufReader<std::io::Chain<Cursor<Vec<u8>>, Counted<R>>>;

/// A file as UTF-8 text; cells that are none are read by [`cell`].
pub struct Text<R: Read> {
    input: Whole<R>,
    /// UTF-16 on its way.
    wide: Option<Wide>,
}

struct Wide {
    decoder: Decoder,
    ready: Vec<u8>,
    at: usize,
    ended: bool,
}

struct Counted<R> {
    read: R,
    taken: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.read.read(out)?;
        self.taken += n as u64;
        Ok(n)
    }
}

impl Text<std::io::Empty> {
    pub fn empty() -> Self {
        let nothing = Counted { read: std::io::empty(), taken: 0 };
        Self { input: BufReader::with_capacity(0, Cursor::new(Vec::new()).chain(nothing)), wide: None }
    }
}

impl<R: Read> Text<R> {
    pub fn open(read: R) -> std::io::Result<Self> {
        let mut read = Counted { read, taken: 0 };
        let mut head = Vec::with_capacity(4);
        read.by_ref().take(4).read_to_end(&mut head)?;
        if let Some(what) = is_no_text(&head) {
            let words = format!("this is {what}, not a CSV file: save or export it as CSV");
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, words));
        }
        let (encoding, mark) = match head[..] {
            [0xEF, 0xBB, 0xBF, ..] => (None, 3),
            [0xFF, 0xFE, ..] => (Some(UTF_16LE), 2),
            [0xFE, 0xFF, ..] => (Some(UTF_16BE), 2),
            // ASCII in UTF-16 has a zero in every other byte.
            [a, 0, b, 0] if a != 0 && b != 0 => (Some(UTF_16LE), 0),
            [0, a, 0, b] if a != 0 && b != 0 => (Some(UTF_16BE), 0),
            _ => (None, 0),
        };
        head.drain(..mark);
        let input = BufReader::with_capacity(1 << 17, Cursor::new(head).chain(read));
        let wide = encoding.map(|e| Wide { decoder: e.new_decoder_without_bom_handling(), ready: vec![0; 1 << 16], at: 0, ended: false });
        let mut text = Self { input, wide };
        if let Some(wide) = &mut text.wide {
            wide.ready.clear();
        }
        Ok(text)
    }

    /// Bytes taken from the file.
    pub fn taken(&self) -> u64 {
        self.input.get_ref().get_ref().1.taken
    }
}

impl Wide {
    fn fill<R: BufRead>(&mut self, input: &mut R) -> std::io::Result<()> {
        while self.at == self.ready.len() && !self.ended {
            self.at = 0;
            self.ready.resize(1 << 16, 0);
            let chunk = input.fill_buf()?;
            let last = chunk.is_empty();
            let (result, read, written, _) = self.decoder.decode_to_utf8(chunk, &mut self.ready, last);
            input.consume(read);
            self.ready.truncate(written);
            self.ended = last && result == CoderResult::InputEmpty;
        }
        Ok(())
    }
}

impl<R: Read> BufRead for Text<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        match &mut self.wide {
            None => self.input.fill_buf(),
            Some(wide) => {
                wide.fill(&mut self.input)?;
                Ok(&wide.ready[wide.at..])
            }
        }
    }

    fn consume(&mut self, n: usize) {
        match &mut self.wide {
            None => self.input.consume(n),
            Some(wide) => wide.at += n,
        }
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.fill_buf()?.read(out)?;
        self.consume(n);
        Ok(n)
    }
}

/// What a file is that has no lines of cells, by its first bytes.
fn is_no_text(head: &[u8]) -> Option<&'static str> {
    const KINDS: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", "a spreadsheet's own file or an archive"),
        (b"\xd0\xcf\x11\xe0", "an old spreadsheet's own file"),
        (b"%PDF", "a PDF"),
        (b"\x1f\x8b", "compressed"),
        (b"<", "HTML or XML"),
    ];
    KINDS.iter().find(|(first, _)| head.starts_with(first)).map(|(_, what)| *what)
}

/// A cell's text: UTF-8, else Windows-1252, which is what a spreadsheet's "CSV" export is.
pub fn cell(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| WINDOWS_1252.decode_without_bom_handling(bytes).0, Cow::Borrowed)
}

/// Whether bytes are neither UTF-8 nor, by the look of it, Windows-1252: words of which most letters are none of ASCII, a
/// capital or a sign within a word. What such a header says cannot be told.
pub fn is_foreign(bytes: &[u8]) -> bool {
    if std::str::from_utf8(bytes).is_ok() {
        return false;
    }
    let text = WINDOWS_1252.decode_without_bom_handling(bytes).0;
    text.split(|c: char| c.is_ascii() && !c.is_ascii_alphabetic()).any(|word| {
        let beyond = word.chars().filter(|c| !c.is_ascii()).count();
        let sign = word.chars().any(|c| !c.is_alphabetic() && !matches!(c, '\u{2019}' | '\u{b4}' | '\u{b0}' | '\u{ba}' | '\u{aa}'));
        let capital = word.chars().skip(1).any(|c| c.is_uppercase() && !c.is_ascii()) && word.chars().any(char::is_lowercase);
        sign || capital || (beyond > 1 && beyond * 2 > word.chars().count())
    })
}
