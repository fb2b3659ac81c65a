//! What people and spreadsheets make of a number: marks that cannot be seen, decimals, notes behind it,
//! letters for digits, two in one cell. Read where nothing was lost; where two readings are possible,
//! or digits are gone, it is refused: a guess would ring a stranger.

use rlibphonenumber::{PhoneNumberType, Region};

use super::{Parsed, PhoneError, plain, typed};

type Reading = Result<Parsed, PhoneError>;

/// Whether a text is a number at first sight: most are, and need no second look.
pub(super) fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let usual = |(i, b): (usize, &u8)| b.is_ascii_digit() || matches!(b, b' ' | b'-' | b')') || (*b == b'+' && i == 0) || (*b == b'(' && i < 6);
    // More may be two numbers; a bracket at the end is a note; ten with two hyphens may be a date.
    digits < 14 && !bytes.starts_with(b"-") && !bytes.ends_with(b")") && bytes.iter().enumerate().all(usual) && !is_date(text)
}

/// The first number of a text that may be dialled, or what is wrong with the first.
pub(super) fn first(text: &str, region: Option<Region>) -> Reading {
    let mut wrong = PhoneError::Empty;
    for reading in read(text, region, is_outdated) {
        match reading {
            Ok(number) => return Ok(number),
            Err(e) if wrong == PhoneError::Empty => wrong = e,
            Err(_) => {}
        }
    }
    Err(wrong)
}

/// Every number of a text.
pub(super) fn all(text: &str, region: Option<Region>) -> Vec<Parsed> {
    read(text, region, |_| false).into_iter().filter_map(Result::ok).collect()
}

/// The same without those that are marked as nobody's telephone by now.
pub(super) fn dialable(text: &str, region: Option<Region>) -> Vec<Parsed> {
    read(text, region, is_outdated).into_iter().filter_map(Result::ok).collect()
}

/// Words of a number that was somebody's once.
const OLD: [&str; 13] =
    ["old", "former", "formerly", "previous", "previously", "ehemals", "ehemalig", "früher", "ancien", "viejo", "antiguo", "vecchio", "oud"];
/// Words of one that no person answers.
const MACHINES: [&str; 6] = ["fax", "telefax", "telecopie", "pager", "beeper", "telex"];

/// Whether a piece says of its number that it is an old one, or none that a person answers. "Tel/Fax" is both, and what
/// stands before another number is about that one.
fn is_outdated(piece: &str) -> bool {
    let lower = piece.to_lowercase();
    let digit = |c: char| c.is_ascii_digit();
    let (Some(from), Some(to)) = (lower.find(digit), lower.rfind(digit)) else { return false };
    let has = |text: &str, list: &[&str]| text.split(|c: char| !c.is_alphabetic()).any(|w| list.contains(&w));
    let (before, behind) = (&lower[..from], &lower[to..]);
    // "not 555-0142, use 555-0143": these stand first.
    let first = before.split(|c: char| !c.is_alphabetic()).next().is_some_and(|w| matches!(w, "not" | "was" | "ex"));
    let both = has(before, &["tel", "tél", "telefon", "telephone", "phone", "mobile", "mobil", "cell"]);
    first || has(&lower, &OLD) || has(behind, &MACHINES) || (has(before, &MACHINES) && !both)
}

fn read(text: &str, region: Option<Region>, passed_by: fn(&str) -> bool) -> Vec<Reading> {
    let tidied = tidy(text);
    let text = unwrapped(&tidied);
    if text.is_empty() {
        return vec![Err(PhoneError::Empty)];
    }
    if is_date(text) {
        return vec![Err(PhoneError::NotANumber)];
    }
    if hides_digits(text) {
        return vec![Err(PhoneError::Hidden)];
    }
    match figure(text) {
        Some(Ok(digits)) => return vec![plain(&digits, region)],
        Some(Err(e)) => return vec![Err(e)],
        None => {}
    }
    let mut out = Vec::new();
    for piece in pieces(text) {
        let digits = count(piece);
        if digits == 0 && !out.is_empty() {
            continue;
        }
        if digits > 0 && passed_by(piece) {
            out.push(Err(PhoneError::Outdated));
            continue;
        }
        let readings = piece_read(piece, region);
        let good = readings.iter().any(Result::is_ok);
        let found = out.iter().any(Result::is_ok);
        out.extend(readings);
        // Digits that are no number stand before one: it was torn apart, what follows is a part of it.
        if !good && !found && digits > 0 && !piece.chars().any(char::is_alphabetic) {
            break;
        }
    }
    out
}

/// Digits of any script and wide forms as plain ones, spaces of any width as one, without marks that
/// cannot be seen.
fn tidy(text: &str) -> String {
    text.chars().filter(|c| !is_invisible(*c)).map(plain_char).collect()
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}')
        || (c.is_control() && !c.is_whitespace())
}

/// The zeros of scripts whose digits follow them.
const ZEROS: [u32; 26] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x17e0, 0x1810, 0xff10, 0x1_d7ce,
    0x1_d7d8, 0x1_d7e2, 0x1_d7ec, 0x1_d7f6, 0x1_fbf0,
];

fn plain_char(c: char) -> char {
    if c.is_ascii() {
        return if matches!(c, '\t' | '\u{b}' | '\u{c}') { ' ' } else { c };
    }
    let digit = ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(*zero).filter(|d| *d < 10));
    if let Some(digit) = digit.and_then(|d| char::from_digit(d, 10)) {
        return digit;
    }
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{30fc}' => '-',
        '\u{207a}' | '\u{fe62}' | '\u{2795}' => '+',
        '\u{2044}' | '\u{2215}' => '/',
        '\u{2028}' | '\u{2029}' | '\u{85}' => '\n',
        c if c.is_whitespace() => ' ',
        // Full-width forms of ASCII stand in ASCII's order.
        c @ '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    }
}

/// Without what a spreadsheet wraps round a text that looks like a number: `'+49`, `="030"`, `"..."`.
fn unwrapped(text: &str) -> &str {
    const QUOTES: [char; 12] = ['\'', '\u{2019}', '\u{2018}', '`', '\u{b4}', '"', '\u{201c}', '\u{201d}', '\u{201e}', '\u{ab}', '\u{bb}', '='];
    text.trim_matches(|c: char| c.is_whitespace() || QUOTES.contains(&c))
}

/// `030 1234XX`, `+49 30 12**`, `030 12345?`, `030 123...`: what is left may be somebody else's number.
fn hides_digits(text: &str) -> bool {
    if text.contains(['*', '\u{2022}', '\u{25cf}', '\u{2026}', '\u{2588}', '\u{25a0}']) || ["..", "__", "##"].iter().any(|p| text.contains(p)) {
        return true;
    }
    let near = |i: usize| {
        text[..i].trim_end().ends_with(|c: char| c.is_ascii_digit()) || text[i..].trim_start_matches(['?', ' ']).starts_with(|c: char| c.is_ascii_digit())
    };
    let mark = |c: char| text.match_indices(c).any(|(i, _)| near(i));
    let end = text.trim_end();
    let crossed = |token: &str| {
        let crosses = token.trim_start_matches(|c: char| !matches!(c, 'x' | 'X'));
        crosses.len() > 1 && crosses.bytes().all(|b| matches!(b, b'x' | b'X')) && token[..token.len() - crosses.len()].bytes().all(|b| !b.is_ascii_alphabetic())
    };
    mark('?') || end.ends_with(['_', '#']) || end.split([' ', '-', '.', '/', '(', ')']).any(crossed)
}

fn count(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// `2026-11-27`, `27.11.2026`, `11/27/2026`, with or without a time.
fn is_date(text: &str) -> bool {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split(['-', '.', '/']).collect();
    let [a, b, c] = parts[..] else { return false };
    if !parts.iter().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit())) {
        return false;
    }
    let year = |t: &str| t.len() == 4 && matches!(&t[..2], "19" | "20");
    let low = |t: &str, most: u32| t.len() <= 2 && t.parse::<u32>().is_ok_and(|n| (1..=most).contains(&n));
    let behind = text.len() == day.len() || text[day.len()..].contains(':');
    behind && ((year(a) && low(b, 12) && low(c, 31)) || (year(c) && ((low(a, 31) && low(b, 12)) || (low(a, 12) && low(b, 31)))))
}

/// A number that a spreadsheet took for a figure: `493012345678.0`, `4.9301234567E10`, `493,012,345,678`.
/// `None` when it is none of these.
fn figure(text: &str) -> Option<Result<String, PhoneError>> {
    let (sign, body) = text.strip_prefix('+').map_or(("", text), |b| ("+", b));
    if body.strip_prefix('-').is_some_and(|b| b.trim_start().starts_with(|c: char| c.is_ascii_digit())) {
        return Some(Err(PhoneError::Spreadsheet));
    }
    let exact = |digits: String| Ok(format!("{sign}{digits}"));
    if let Some((mantissa, power)) = body.split_once(['e', 'E']) {
        let figures = !mantissa.is_empty() && mantissa.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','));
        let power = power.strip_prefix('+').unwrap_or(power);
        if !figures || power.is_empty() || !power.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        return Some(unpowered(mantissa, power).ok_or(PhoneError::Spreadsheet).and_then(exact));
    }
    if !body.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',')) || !body.contains(['.', ',']) {
        return None;
    }
    decimal(body).map(|whole| whole.and_then(exact))
}

/// All digits of a figure with a power of ten; `None` where it has fewer than it stands for, or more.
fn unpowered(mantissa: &str, power: &str) -> Option<String> {
    let power: usize = power.parse().ok()?;
    let (whole, part) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let (shown, rest) = part.split_at_checked(power)?;
    let exact = !whole.starts_with('0') && whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit()) && rest.bytes().all(|b| b == b'0');
    exact.then(|| format!("{whole}{shown}"))
}

/// A figure with a decimal part or thousands in groups; `None` for dots and commas that are neither.
fn decimal(body: &str) -> Option<Result<String, PhoneError>> {
    let at = body.rfind(['.', ','])?;
    let (front, part, mark) = (&body[..at], &body[at + 1..], &body[at..=at]);
    let grouped = |text: &str, mark: char| {
        let mut groups = text.split(mark);
        groups.next().is_some_and(|g| (1..=3).contains(&g.len())) && text.contains(mark) && groups.all(|g| g.len() == 3 && count(g) == 3)
    };
    let whole = |text: &str| match text {
        t if count(t) == t.len() => Some(t.to_owned()),
        t if grouped(t, ',') || grouped(t, '.') => Some(t.replace(['.', ','], "")),
        _ => None,
    };
    if !front.contains(mark)
        && let Some(digits) = whole(front).filter(|d| d.len() >= 7)
    {
        return match part {
            "" | "0" => Some(Ok(digits)),
            // Of a price's two zeros nobody can tell whether they are an extension.
            p if p.bytes().all(|b| b == b'0') && digits.len() >= 10 && !digits.starts_with('0') => Some(Ok(digits)),
            p if p.len() <= 3 || digits.len() >= 10 => Some(Err(PhoneError::Spreadsheet)),
            _ => None,
        };
    }
    grouped(body, ',').then(|| Ok(body.replace(',', "")))
}

/// The parts of a cell that holds several: `030 123; 030 124`, `a ::: b`, `a or b`, `+49 1 +49 2`.
fn pieces(text: &str) -> Vec<&str> {
    const WORDS: [&str; 8] = [" or ", " and ", " oder ", " und ", " ou ", " et ", " o ", " y "];
    let mut cuts = vec![0];
    let lower = text.to_ascii_lowercase();
    for (i, c) in text.char_indices() {
        let rest = &lower[i..];
        let extension = rest.starts_with(";ext") || rest.starts_with(";phone-context") || rest.starts_with(";isub");
        if matches!(c, '\n' | '\r' | '|' | ',' | '&' | ';') && !extension {
            cuts.push(i + 1);
        } else if let Some(word) = [" / ", ":::"].iter().chain(&WORDS).find(|w| rest.starts_with(**w)) {
            cuts.push(i + word.len());
        } else if c == '+' && text[..i].bytes().any(|b| b.is_ascii_digit()) {
            cuts.push(i);
        }
    }
    cuts.push(text.len());
    cuts.dedup();
    let ends = [',', ';', '|', '&', ':', '/', ' ', '\n', '\r'];
    cuts.windows(2).map(|w| trim_word(text[w[0]..w[1]].trim_matches(ends), &WORDS).trim()).filter(|p| !p.is_empty()).collect()
}

fn trim_word<'a>(piece: &'a str, words: &[&str]) -> &'a str {
    words.iter().find_map(|w| piece.strip_suffix(w.trim_end())).unwrap_or(piece)
}

/// A piece is one number, or several with nothing but a slash or spaces between.
fn piece_read(piece: &str, region: Option<Region>) -> Vec<Reading> {
    let split = |parts: Vec<&str>| -> Option<Vec<Reading>> {
        let readings: Vec<Reading> = parts.iter().map(|p| one(p, region)).collect();
        (readings.len() > 1 && readings.iter().all(Result::is_ok)).then_some(readings)
    };
    if piece.contains('/') {
        let parts: Vec<&str> = piece.split('/').map(str::trim).collect();
        if let Some(several) = split(parts.clone()) {
            return several;
        }
        // "02331 12345/46": an extension of the number, the end of another, or a part of this one.
        if let (Ok(front), Ok(whole)) = (one(parts[0], region), one(piece, region))
            && count(parts[1]) > 0
            && front.number != whole.number
        {
            return vec![Err(PhoneError::Ambiguous)];
        }
    }
    let bare = piece.bytes().all(|b| b.is_ascii_digit() || matches!(b, b' ' | b'+' | b'-' | b'.' | b'(' | b')' | b'/'));
    if bare && count(piece) >= 14 {
        let apart = |text: &str, by: &str| text.split(by).map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        for tokens in [apart(piece, "  "), apart(piece, " ")] {
            let each = |t: &String| t.starts_with(['0', '+', '(']) || count(t) >= 7;
            if tokens.iter().all(each)
                && let Some(several) = split(tokens.iter().map(String::as_str).collect())
            {
                return several;
            }
        }
    }
    vec![one(piece, region)]
}

/// One number with what stands before and behind it.
fn one(piece: &str, region: Option<Region>) -> Reading {
    if piece.contains('@') {
        return Err(PhoneError::NotANumber);
    }
    let text = behind_label(piece)?;
    let (body, rest) = parted(text);
    let attached = rest.starts_with(char::is_alphabetic) && text.len() == body.len() + rest.len();
    let word: String = rest.chars().take_while(|c| c.is_alphabetic()).collect();
    let read = plain(body, region);
    let Ok(number) = read else {
        return if word.is_empty() { read } else { vanity(text, region).or(read) };
    };
    // "12345O": a letter for a digit, unless it is said what follows.
    if attached && word.chars().count() < 3 && !is_extension(&word, rest) {
        return Err(PhoneError::NotANumber);
    }
    if vanity(text, region).is_ok_and(|v| v.number != number.number) || a_digit_of_the_note(body, &word, region) {
        return Err(PhoneError::Ambiguous);
    }
    Ok(number)
}

fn is_extension(word: &str, rest: &str) -> bool {
    word.eq_ignore_ascii_case("x") && rest[1..].trim_start_matches(['.', ' ', ':']).starts_with(|c: char| c.is_ascii_digit())
}

/// "030 123456 - 9 to 5": the nine belongs to the hours.
fn a_digit_of_the_note(body: &str, word: &str, region: Option<Region>) -> bool {
    let body = body.trim_end();
    let Some((front, last)) = body.rsplit_once(' ').filter(|_| !word.is_empty()) else { return false };
    let short = last.len() == 1 || (last.len() == 2 && front.trim_end().ends_with('-'));
    short && count(last) > 0 && plain(front, region).is_ok() && plain(body, region).is_ok()
}

/// Behind "Mobile:", "(H)", "Tel.", "tel:".
fn behind_label(piece: &str) -> Result<&str, PhoneError> {
    let mut text = piece;
    if let Some((label, rest)) = piece.split_once(':') {
        let named = label.chars().any(char::is_alphabetic) && count(label) <= 2;
        if !named && count(label) < 5 {
            return Err(PhoneError::NotANumber);
        }
        text = if named { rest } else { label };
    }
    let digit = text.find(|c: char| c.is_ascii_digit() || c == '+').ok_or(PhoneError::NotANumber)?;
    let (label, number) = text.split_at(text[..digit].trim_end_matches(['(', '[', ' ']).len());
    let number = number.trim_start();
    let letters = label.chars().filter(|c| c.is_alphabetic()).count();
    let attached = label.ends_with(char::is_alphabetic) && text[label.len()..].starts_with(|c: char| c.is_ascii_digit());
    // "O30": a letter for a digit. "Flat 5 030 123": digits that are not the number's.
    let mut groups = number.split(' ');
    let (one, two) = (groups.next().unwrap_or_default(), groups.next().unwrap_or_default());
    let loose = letters > 0 && one.len() <= 2 && !one.starts_with(['0', '+']) && two.starts_with('0') && count(two) >= 3;
    if (attached && letters < 3) || loose { Err(PhoneError::NotANumber) } else { Ok(number) }
}

/// The number's own characters, and what stands behind. A bracket behind a whole number is a note.
fn parted(text: &str) -> (&str, &str) {
    let own = |(i, c): &(usize, char)| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '[' | ']' | '/') || (*c == '+' && *i <= 1);
    let mut end = text.char_indices().find(|p| !own(p)).map_or(text.len(), |(i, _)| i);
    for (i, _) in text[..end].match_indices(['(', '[']) {
        if count(&text[..i]) >= 6 {
            end = i;
            break;
        }
    }
    let body = text[..end].trim_end_matches([' ', '-', '.', '/', '(', '[']);
    (body, text[body.len()..].trim_start_matches([' ', '-', '.', '/', '(', '[']))
}

/// Words that stand behind a number and spell none.
const NOTES: &[&str] = &[
    "home", "work", "cell", "mobile", "mobil", "office", "main", "fax", "ext", "desk", "direct", "privat", "private", "business", "handy", "phone", "tel",
    "only", "after", "before", "daytime", "evening", "day", "night", "yes", "new", "old", "pager", "casa", "bureau", "domicile", "trabajo", "oficina",
    "lavoro", "ufficio", "personal", "other", "voice", "switch", "unknown", "none", "null", "test",
];

/// `1-800-FLOWERS`: letters for digits, where such numbers exist: toll-free, and in North America where
/// they are written in capitals as a part of the number.
fn vanity(text: &str, region: Option<Region>) -> Reading {
    let own = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '+');
    let mut spelt = &text[..text.find(|c| !own(c)).unwrap_or(text.len())];
    let first = spelt.find(|c: char| c.is_ascii_alphabetic()).ok_or(PhoneError::NotANumber)?;
    if count(&spelt[..first]) < 3 {
        return Err(PhoneError::NotANumber);
    }
    loop {
        let letters = spelt.bytes().filter(u8::is_ascii_alphabetic).count();
        let note = spelt.split(|c: char| !c.is_ascii_alphabetic()).any(|w| NOTES.contains(&w.to_ascii_lowercase().as_str()));
        if letters < 3 || note {
            return Err(PhoneError::NotANumber);
        }
        let digits: String = spelt.chars().map(keypad).collect();
        if let Ok((parsed, kind)) = typed(&digits, region) {
            let free = matches!(kind, PhoneNumberType::TollFree | PhoneNumberType::UAN);
            let part = !spelt[..first].ends_with(' ') && !spelt.bytes().any(|b| b.is_ascii_lowercase());
            return if free || (parsed.number.as_str().starts_with("+1") && part) { Ok(parsed) } else { Err(PhoneError::NotANumber) };
        }
        // The last word may be a note.
        spelt = spelt.trim_end().rsplit_once(' ').map(|(front, _)| front).filter(|f| f.len() > first).ok_or(PhoneError::NotANumber)?;
    }
}

fn keypad(c: char) -> char {
    match c.to_ascii_uppercase() {
        'A'..='C' => '2',
        'D'..='F' => '3',
        'G'..='I' => '4',
        'J'..='L' => '5',
        'M'..='O' => '6',
        'P'..='S' => '7',
        'T'..='V' => '8',
        'W'..='Z' => '9',
        _ => c,
    }
}
