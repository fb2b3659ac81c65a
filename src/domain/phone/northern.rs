//! Numbers of North America without a look at the rules for each: there the first six digits, area code and
//! exchange, decide on kind and country (in a few places the seventh does too: those are asked for one by
//! one), and a file has few of them. Most files are of such numbers, and the rules are most of an import.

use std::{collections::HashMap, sync::LazyLock};

use parking_lot::Mutex;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType, Region};

use super::{Parsed, PhoneError, PhoneNumber, ruled};

/// What the rules say of a number by its first six digits: its country and kind.
type Verdict = Result<(String, PhoneNumberType), PhoneError>;

/// Barbados and Jamaica have exchanges of which the seventh digit decides.
const SHARED: [u32; 2] = [246, 876];

/// Exchanges remembered at most.
const MOST: usize = 1 << 15;

static KNOWN: LazyLock<Mutex<HashMap<u32, Verdict>>> = LazyLock::new(Mutex::default);

/// The rules' answer for `+1` and ten digits, or ten digits of a region of the plan; `None`: ask the rules.
pub(super) fn judged(digits: &str, region: Option<Region>) -> Option<Result<(Parsed, PhoneNumberType), PhoneError>> {
    let ten = ten_digits(digits, region)?;
    let six: u32 = ten[..6].parse().ok()?;
    if SHARED.contains(&(six / 1000)) {
        return None;
    }
    let (country, kind) = match verdict(six, digits, region) {
        Ok(known) => known,
        Err(e) => return Some(Err(e)),
    };
    let geographic = matches!(kind, PhoneNumberType::FixedLine | PhoneNumberType::FixedLineOrMobile | PhoneNumberType::Mobile);
    Some(Ok((Parsed { number: PhoneNumber(format!("+1{ten}")), country, geographic }, kind)))
}

/// The digits behind the country code, where nothing is to be stripped of them. No area code begins with 0 or 1.
fn ten_digits(digits: &str, region: Option<Region>) -> Option<&str> {
    let ten = match digits.strip_prefix("+1") {
        Some(ten) => ten,
        None if is_northern(region?) => digits,
        None => return None,
    };
    (ten.len() == 10 && ten.bytes().all(|b| b.is_ascii_digit()) && ten.as_bytes()[0] > b'1').then_some(ten)
}

fn is_northern(region: Region) -> bool {
    PHONE_NUMBER_UTIL.get_country_code_for_region(region) == Some(1)
}

fn verdict(six: u32, digits: &str, region: Option<Region>) -> Verdict {
    if let Some(known) = KNOWN.lock().get(&six) {
        return known.clone();
    }
    let found = ruled(digits, region).map(|(parsed, kind)| (parsed.country, kind));
    let mut known = KNOWN.lock();
    if known.len() >= MOST {
        known.clear();
    }
    known.insert(six, found.clone());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(code: &str) -> Region {
        super::super::region(code).unwrap()
    }

    /// Every area code there could be and a share of the exchanges of each, by two endings: what was remembered of
    /// an exchange by the first is what the rules say of the second.
    #[test]
    fn six_digits_decide() {
        let mut seed = 7u32;
        let mut endings = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) % 10_000
        };
        let (mut numbers, mut good) = (0, 0);
        for area in 200..1000 {
            for exchange in (area % 29..1000).step_by(29) {
                for ending in [endings(), endings()] {
                    let plus = format!("+1{area}{exchange:03}{ending:04}");
                    let ruled = ruled(&plus, None);
                    assert_eq!(judged(&plus, None).unwrap_or_else(|| ruled.clone()), ruled, "{plus}");
                    numbers += 1;
                    good += usize::from(ruled.is_ok());
                }
            }
        }
        assert!(numbers > 50_000 && good > 15_000, "{numbers} {good}");
    }

    /// A number without country code is read by the rules of its region, whichever of the plan that is.
    #[test]
    fn ten_digits_are_read_as_their_region_reads_them() {
        for code in ["US", "CA", "BS", "DO", "JM", "PR", "TC"] {
            for ten in ["2125550123", "8095550123", "2423261234", "8765550123", "9005550123", "8005550123", "4835550123", "2120550123", "5552345678"] {
                let (region, ruled) = (Some(region(code)), ruled(ten, Some(region(code))));
                assert_eq!(judged(ten, region).unwrap_or_else(|| ruled.clone()), ruled, "{ten} in {code}");
            }
        }
        for (digits, code) in [("02125550123", "US"), ("12125550123", "US"), ("2125550123", "GB"), ("+442079460018", "US"), ("+11125550123", "US")] {
            assert!(judged(digits, Some(region(code))).is_none(), "{digits}");
        }
        assert!(judged("2125550123", None).is_none() && judged("+12465210123", None).is_none());
    }
}
