//! Phone numbers: parsed by libphonenumber's rules, kept as E.164, never completed by guessing a
//! country. What this product refuses to dial by kind is decided here; what people and spreadsheets make
//! of a number on its way here is read in `written`.

mod northern;
mod written;

use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType, Region};

/// A valid number in E.164, such as `+12025550142`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, sqlx::Type)]
#[sqlx(transparent)]
#[serde(transparent)]
pub struct PhoneNumber(String);

/// Why a text is not a number we dial; the words go into import reports and error replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    #[error("no phone number given")]
    Empty,
    #[error("national number without a region: write it with + and country code, or import with --region")]
    NoRegion,
    #[error("not a phone number")]
    NotANumber,
    #[error("not a valid number of its country")]
    Invalid,
    #[error("premium-rate or shared-cost number: never dialled")]
    Premium,
    #[error("pager, voicemail-access or satellite number: never dialled")]
    Unwanted,
    #[error("area code {0} is not in the numbering plan of this release: wrong, or newer than it")]
    AreaCode(u16),
    #[error("a spreadsheet has changed this number: format its column as text and export it again")]
    Spreadsheet,
    #[error("digits of this number are missing or hidden")]
    Hidden,
    #[error("may be read as two different numbers: write it with + and country code, one in a cell")]
    Ambiguous,
    #[error("marked as a fax, a pager or an old number: never dialled")]
    Outdated,
    #[error("unknown region: give a two-letter country code such as US or GB")]
    UnknownRegion,
}

/// A parsed number with the country it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    pub number: PhoneNumber,
    /// ISO 3166 two letters; `001` for numbers of no country.
    pub country: String,
    /// Its digits name a place: a landline, or any number of North America, where mobile phones have the area
    /// code of where they were sold. Others may be anywhere in their country.
    pub geographic: bool,
}

/// Satellite and international-network country codes: dear, and never a contact's phone.
const UNWANTED_CODES: [i32; 5] = [870, 878, 881, 882, 883];

/// Checks a region code such as `US`.
///
/// # Errors
/// When libphonenumber knows no such region.
pub fn region(code: &str) -> Result<Region, PhoneError> {
    let region = Region::try_from(code.to_ascii_uppercase().as_str()).map_err(|_| PhoneError::UnknownRegion)?;
    // Two letters alone do not make a country: libphonenumber must have rules for it.
    if PHONE_NUMBER_UTIL.get_supported_regions().any(|r| r == region) { Ok(region) } else { Err(PhoneError::UnknownRegion) }
}

impl PhoneNumber {
    /// Reads a number as people write it, the first where there are several. A number without `+` needs
    /// `region`. Imports, do-not-call lists, API and console all read by this.
    ///
    /// # Errors
    /// In words, when the text is no number that may be dialled.
    pub fn parse(text: &str, region: Option<Region>) -> Result<Parsed, PhoneError> {
        let text = text.trim();
        if written::is_plain(text) { plain(text, region) } else { written::first(text, region) }
    }

    /// Every number of a text, for lists of people who must not be called.
    #[must_use]
    pub fn all(text: &str, region: Option<Region>) -> Vec<Parsed> {
        let text = text.trim();
        if written::is_plain(text) { plain(text, region).into_iter().collect() } else { written::all(text, region) }
    }

    /// The numbers of a text that somebody may be called by: none that is marked as old, a fax or a pager.
    #[must_use]
    pub fn dialable(text: &str, region: Option<Region>) -> Vec<Parsed> {
        let text = text.trim();
        if written::is_plain(text) { plain(text, region).into_iter().collect() } else { written::dialable(text, region) }
    }

    /// A number of our own (caller id), checked for E.164 shape only: trunks may carry numbers
    /// that no numbering plan lists.
    ///
    /// # Errors
    /// When it is not `+` and 7 to 15 digits.
    pub fn own(text: &str) -> Result<Self, PhoneError> {
        let digits = text.trim().strip_prefix('+').ok_or(PhoneError::NoRegion)?;
        let plausible = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        if plausible { Ok(Self(format!("+{digits}"))) } else { Err(PhoneError::NotANumber) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// E.164 allows no more.
const MOST_DIGITS: usize = 15;

/// A number of which nothing but digits, punctuation and a leading `+` is left.
fn plain(text: &str, region: Option<Region>) -> Result<Parsed, PhoneError> {
    typed(text, region).map(|(parsed, _)| parsed)
}

/// The same with its kind, for who must tell a toll-free number.
fn typed(text: &str, region: Option<Region>) -> Result<(Parsed, PhoneNumberType), PhoneError> {
    let mut digits = String::with_capacity(24);
    for c in text.chars() {
        if c.is_ascii_digit() || (c == '+' && digits.is_empty()) {
            digits.push(c);
        }
    }
    let n = digits.bytes().filter(u8::is_ascii_digit).count();
    if text.is_empty() {
        return Err(PhoneError::Empty);
    }
    if !digits.starts_with('+') && region.is_none() {
        return Err(if n >= 3 { PhoneError::NoRegion } else { PhoneError::NotANumber });
    }
    if !digits.starts_with('+') && lost_its_plus(&digits, region) {
        return international(&digits, region);
    }
    let read = judged(&digits, region);
    // A national prefix in brackets belongs to no number of a country that has none.
    if read.is_err() && digits.starts_with('+') && text.contains("(0)") {
        let without: String = text.replacen("(0)", "", 1);
        return typed(&without, region);
    }
    read
}

/// Whether digits without `+` and national prefix begin with the country's own code: what a spreadsheet
/// leaves of an international number.
fn lost_its_plus(digits: &str, region: Option<Region>) -> bool {
    let code = region.filter(|_| digits.len() > 9 && !digits.starts_with('0')).and_then(|r| PHONE_NUMBER_UTIL.get_country_code_for_region(r));
    // In North America the code is the national prefix as well.
    code.is_some_and(|c| c != 1 && digits.starts_with(&c.to_string()))
}

/// The international reading, unless the national one is another person's number.
fn international(digits: &str, region: Option<Region>) -> Result<(Parsed, PhoneNumberType), PhoneError> {
    let (with_plus, national) = (judged(&format!("+{digits}"), None), judged(digits, region));
    match (&with_plus, &national) {
        (Ok((a, _)), Ok((b, _))) if a.number != b.number => Err(PhoneError::Ambiguous),
        (Ok(_), _) => with_plus,
        (Err(_), _) => national,
    }
}

fn judged(digits: &str, region: Option<Region>) -> Result<(Parsed, PhoneNumberType), PhoneError> {
    northern::judged(digits, region).unwrap_or_else(|| ruled(digits, region))
}

/// What the rules of the numbering plans say.
fn ruled(digits: &str, region: Option<Region>) -> Result<(Parsed, PhoneNumberType), PhoneError> {
    let number = PHONE_NUMBER_UTIL.parse(digits, region).map_err(|_| PhoneError::NotANumber)?;
    if UNWANTED_CODES.contains(&number.country_code) {
        return Err(PhoneError::Unwanted);
    }
    // A number of no kind is not valid: one look at the rules tells both.
    let kind = number.get_type();
    match kind {
        PhoneNumberType::Unknown => return Err(unknown(&number)),
        PhoneNumberType::PremiumRate | PhoneNumberType::SharedCost => return Err(PhoneError::Premium),
        PhoneNumberType::Pager | PhoneNumberType::VoiceMail => return Err(PhoneError::Unwanted),
        _ => {}
    }
    let country = number.get_region_code().map_or_else(|| "001".to_owned(), |r| r.as_region_str().to_string());
    let e164 = number.format_as(PhoneNumberFormat::E164).to_string();
    if e164.len() > MOST_DIGITS + 1 {
        return Err(PhoneError::Invalid);
    }
    let geographic = match kind {
        PhoneNumberType::FixedLine => true,
        PhoneNumberType::FixedLineOrMobile | PhoneNumberType::Mobile => number.country_code == 1,
        _ => false,
    };
    Ok((Parsed { number: PhoneNumber(e164), country, geographic }, kind))
}

/// Why a number is not valid: a North American one of the right shape has an area code that nobody has.
fn unknown(number: &rlibphonenumber::PhoneNumber) -> PhoneError {
    let national = number.national_number;
    let (area, exchange) = (national / 10_000_000, national / 10_000 % 1000);
    let shaped = number.country_code == 1 && (200..1000).contains(&area) && (200..1000).contains(&exchange);
    // Of a known area code some exchange is valid.
    let known = PHONE_NUMBER_UTIL.parse(format!("+1{area}2345678"), None).is_ok_and(|n| n.get_type() != PhoneNumberType::Unknown);
    if shaped && !known {
        return PhoneError::AreaCode(u16::try_from(area).unwrap_or(0));
    }
    PhoneError::Invalid
}

/// The number grouped for reading, `+1 202 555 0142`. Grouping is cosmetic: North American numbers
/// by 3-3-4, others in threes from the country code on.
#[must_use]
pub fn spaced(e164: &str) -> String {
    let Some(digits) = e164.strip_prefix('+') else { return e164.to_owned() };
    if digits.len() == 11 && digits.starts_with('1') {
        return format!("+1 {} {} {}", &digits[1..4], &digits[4..7], &digits[7..]);
    }
    let mut out = String::from("+");
    for (i, c) in digits.chars().enumerate() {
        if i >= 2 && (i - 2) % 3 == 0 && digits.len() - i >= 3 {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us() -> Option<Region> {
        region("US").ok()
    }

    #[test]
    fn numbers_as_people_write_them() {
        for text in ["(202) 555-0142", "202.555.0142", "+1 202-555-0142", "1 202 555 0142", "tel:+1-202-555-0142"] {
            assert_eq!(PhoneNumber::parse(text, us()).map(|p| p.number.to_string()), Ok("+12025550142".to_owned()), "{text}");
        }
        let uk = PhoneNumber::parse("020 7946 0018", region("gb").ok()).unwrap();
        assert_eq!((uk.number.as_str(), uk.country.as_str()), ("+442079460018", "GB"));
    }

    #[test]
    fn a_national_number_is_never_guessed_into_a_country() {
        assert_eq!(PhoneNumber::parse("2125550123", None), Err(PhoneError::NoRegion));
        assert_eq!(PhoneNumber::parse("John", None), Err(PhoneError::NotANumber));
        assert_eq!(PhoneNumber::parse("", us()), Err(PhoneError::Empty));
    }

    #[test]
    fn kinds_never_dialled() {
        assert_eq!(PhoneNumber::parse("+1 900 555 0123", None), Err(PhoneError::Premium));
        assert_eq!(PhoneNumber::parse("911", us()), Err(PhoneError::Invalid));
        assert_eq!(PhoneNumber::parse("+1 555 000 0100", None), Err(PhoneError::Invalid));
        assert!(PhoneNumber::parse("+881 631 234 567", None).is_err());
    }

    /// A text under a region, and the number it is; without one it must be refused.
    type Case = (&'static str, &'static str, Option<&'static str>);

    fn check(cases: &[Case]) {
        for (text, code, want) in cases {
            let read = PhoneNumber::parse(text, region(code).ok());
            assert_eq!(read.as_ref().ok().map(|p| p.number.as_str()), *want, "{text:?} under {code:?}: {read:?}");
        }
    }

    #[test]
    fn a_number_with_digits_hidden_is_none() {
        for text in [
            "+49 30 1234XX",
            "+49301234**",
            "030 123456...",
            "030 123456\u{2026}",
            "030 1234 ????",
            "030 12345_",
            "030 123456xxx",
            "030-1234-____",
            "0301234567 89?",
            "+49 30 ####56",
            "+49 171 234567\u{2022}",
            "030 12 34 5#",
            "? 030 123456",
        ] {
            assert_eq!(PhoneNumber::parse(text, region("DE").ok()), Err(PhoneError::Hidden), "{text}");
            assert!(PhoneNumber::all(text, region("DE").ok()).is_empty(), "{text}");
        }
        check(&[
            ("202-555-0142 x5", "US", Some("+12025550142")),
            ("202-555-0142 #5", "US", Some("+12025550142")),
            ("(202) 555-0142", "US", Some("+12025550142")),
        ]);
    }

    #[test]
    fn what_a_spreadsheet_makes_of_a_number() {
        check(&[
            ("+493012345678.0", "", Some("+493012345678")),
            ("493012345678.0", "DE", Some("+493012345678")),
            ("493012345678,0", "DE", Some("+493012345678")),
            ("493012345678.00", "DE", Some("+493012345678")),
            ("2025550142.0", "US", Some("+12025550142")),
            ("2025550142.5", "US", None),
            ("030123456.00", "DE", None),
            ("4.9301234567E10", "DE", Some("+49301234567")),
            ("4,9301234567e+10", "DE", Some("+49301234567")),
            ("+4.9301234567E+10", "", Some("+49301234567")),
            ("1.2025550142E10", "US", Some("+12025550142")),
            ("4.93E10", "DE", None),
            ("4.93012E+11", "DE", None),
            ("4.9301234567E-10", "DE", None),
            ("2,025,550,142", "US", Some("+12025550142")),
            ("493.012.345.678", "DE", Some("+493012345678")),
            ("-123456789", "DE", None),
            ("-493012345678", "DE", None),
            ("2026-11-27", "DE", None),
            ("27.11.2026", "DE", None),
            ("11/27/2026", "US", None),
            ("2026-11-27 00:00:00", "DE", None),
            ("#N/A", "US", None),
            ("########", "US", None),
            ("TRUE", "US", None),
            ("NaN", "US", None),
            // A lost plus: read where one number alone can be meant.
            ("493012345678", "DE", Some("+493012345678")),
            ("491711234567", "DE", None),
            ("393331234567", "IT", Some("+393331234567")),
        ]);
    }

    #[test]
    fn what_is_wrapped_round_a_number() {
        check(&[
            ("'+12025550142", "", Some("+12025550142")),
            ("\u{2019}+12025550142", "", Some("+12025550142")),
            ("\u{202a}+12025550143\u{202c}", "", Some("+12025550143")),
            ("\u{200e}+1\u{a0}202\u{202f}555\u{2011}0142\u{feff}", "", Some("+12025550142")),
            ("=\"+12025550142\"", "", Some("+12025550142")),
            ("=\"202-555-0142\"", "US", Some("+12025550142")),
            ("=+493012345678", "", Some("+493012345678")),
            ("TEL:+1-202-555-0142", "", Some("+12025550142")),
            ("tel:+1-202-555-0142;ext=12", "", Some("+12025550142")),
            ("callto:+12025550142", "", Some("+12025550142")),
            ("(+49) 30 123456", "", Some("+4930123456")),
            ("[+49] 30 123456", "", Some("+4930123456")),
            ("+(49) 30 123456", "", Some("+4930123456")),
            ("+ 49 30 123456", "", Some("+4930123456")),
            ("\u{ff0b}\u{ff14}\u{ff19} \u{ff13}\u{ff10} \u{ff11}\u{ff12}\u{ff13}\u{ff14}\u{ff15}\u{ff16}", "", Some("+4930123456")),
            ("\u{665}\u{660}\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}\u{667}", "SA", Some("+966501234567")),
            ("+49 (0)30 123456", "", Some("+4930123456")),
            ("+49 30/765432", "", Some("+4930765432")),
            ("030/123456", "DE", Some("+4930123456")),
            ("(H) 202-555-0145", "US", Some("+12025550145")),
            ("Mobile: +1 202 555 0142", "", Some("+12025550142")),
            ("Tel. 030 123456", "DE", Some("+4930123456")),
        ]);
    }

    #[test]
    fn what_stands_behind_a_number_is_no_part_of_it() {
        check(&[
            ("030 123456 Home", "DE", Some("+4930123456")),
            ("030 123456 home", "DE", Some("+4930123456")),
            ("+49 30 123457 privat", "", Some("+4930123457")),
            ("030 123456 (Mobile)", "DE", Some("+4930123456")),
            ("030 123456 (2)", "DE", Some("+4930123456")),
            ("030 123456 - Frau Meier", "DE", Some("+4930123456")),
            ("030 123456, ask for Bob", "DE", Some("+4930123456")),
            ("+1 202 555 0142 x123", "", Some("+12025550142")),
            ("202-555-0142x123", "US", Some("+12025550142")),
            ("202-555-0142 ext. 7", "US", Some("+12025550142")),
            ("202-555-0142 #7", "US", Some("+12025550142")),
            ("030 123456 (9-17 Uhr)", "DE", Some("+4930123456")),
            ("030 123456 - 9 bis 17 Uhr", "DE", None),
            // Letters for digits.
            ("030 12345O", "DE", None),
            ("O30123456", "DE", None),
            ("03O 123456", "DE", None),
            ("2O2-555-0142", "US", None),
            ("202-555 Home", "US", None),
            ("jane2025550142@example.com", "US", None),
            ("Flat 5 030 123456", "DE", None),
            ("12:30", "DE", None),
        ]);
    }

    #[test]
    fn numbers_spelt_in_letters() {
        check(&[
            ("1-800-FLOWERS", "US", Some("+18003569377")),
            ("1 800 flowers", "US", Some("+18003569377")),
            ("+1-800-FLOWERS", "", Some("+18003569377")),
            ("1-800-555-TELL", "US", Some("+18005558355")),
            ("(800) GO-FEDEX", "US", Some("+18004633339")),
            ("202-555-CATS", "US", Some("+12025552287")),
            ("202-555-HOME", "US", None),
            ("0800 FLOWERS", "GB", Some("+448003569377")),
            ("030 12 HOUSE", "DE", None),
        ]);
    }

    #[test]
    fn two_numbers_in_a_cell() {
        check(&[
            ("030 123456 / 0171 1234567", "DE", Some("+4930123456")),
            ("030 1234567/030 1234568", "DE", Some("+49301234567")),
            ("202-555-0142; 202-555-0143", "US", Some("+12025550142")),
            ("202-555-0142 ::: 202-555-0143", "US", Some("+12025550142")),
            ("202-555-0142 or 202-555-0143", "US", Some("+12025550142")),
            ("+493012345 +493012346", "", Some("+493012345")),
            ("03012345 03012346", "DE", Some("+493012345")),
            ("n/a, 202-555-0143", "US", Some("+12025550143")),
            ("030 123456/57", "DE", None),
            ("030,23456789", "DE", None),
        ]);
        let both = |text: &str| PhoneNumber::all(text, us()).iter().map(|p| p.number.to_string()).collect::<Vec<_>>();
        assert_eq!(both("202-555-0142\n(202) 555-0143 home"), ["+12025550142", "+12025550143"]);
        assert_eq!(both("Jane"), Vec::<String>::new());
    }

    #[test]
    fn an_area_code_nobody_has_is_named() {
        assert_eq!(PhoneNumber::parse("483 555 0123", us()), Err(PhoneError::AreaCode(483)));
        assert_eq!(PhoneNumber::parse("+1 202 055 0123", None), Err(PhoneError::Invalid));
        assert!(PhoneError::AreaCode(483).to_string().contains("area code 483"));
    }

    #[test]
    fn grouping() {
        assert_eq!(spaced("+12025550142"), "+1 202 555 0142");
        assert_eq!(spaced("+442079460018"), "+44 207 946 0018");
    }
}
