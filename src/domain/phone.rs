//! Phone numbers: parsed by libphonenumber's rules, kept as E.164, never completed by guessing a
//! country. What this product refuses to dial by kind is decided here.

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
    /// Reads a number as people write it. A number without `+` needs `region`.
    ///
    /// # Errors
    /// In words, when the text is no number that may be dialled.
    pub fn parse(text: &str, region: Option<Region>) -> Result<Parsed, PhoneError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PhoneError::Empty);
        }
        if region.is_none() && !text.starts_with(['+', '\u{ff0b}']) && !text.starts_with("tel:+") {
            return Err(if text.chars().filter(char::is_ascii_digit).count() >= 3 { PhoneError::NoRegion } else { PhoneError::NotANumber });
        }
        let number = PHONE_NUMBER_UTIL.parse(text, region).map_err(|_| PhoneError::NotANumber)?;
        if UNWANTED_CODES.contains(&number.country_code) {
            return Err(PhoneError::Unwanted);
        }
        // A number of no kind is not valid: one look at the rules tells both.
        let kind = number.get_type();
        match kind {
            PhoneNumberType::Unknown => return Err(PhoneError::Invalid),
            PhoneNumberType::PremiumRate | PhoneNumberType::SharedCost => return Err(PhoneError::Premium),
            PhoneNumberType::Pager | PhoneNumberType::VoiceMail => return Err(PhoneError::Unwanted),
            _ => {}
        }
        let country = number.get_region_code().map_or_else(|| "001".to_owned(), |r| r.as_region_str().to_string());
        let geographic = match kind {
            PhoneNumberType::FixedLine => true,
            PhoneNumberType::FixedLineOrMobile | PhoneNumberType::Mobile => number.country_code == 1,
            _ => false,
        };
        Ok(Parsed { geographic, number: Self(number.format_as(PhoneNumberFormat::E164).to_string()), country })
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

    #[test]
    fn grouping() {
        assert_eq!(spaced("+12025550142"), "+1 202 555 0142");
        assert_eq!(spaced("+442079460018"), "+44 207 946 0018");
    }
}
